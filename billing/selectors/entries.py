"""Reads of single lines of the ledger: the jobs behind an amount."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import User
from billing.models import LedgerEntry
from billing.months import Month
from common.exceptions import NotFound
from jobs.models import Batch

PAGE = 50
BIGGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class EntryPage:
    """Entries, newest first; `before` is the number of the entry to go on from, None at the end."""

    entries: list[LedgerEntry]
    before: int | None


def entries_of(account: User, month: Month, names: Mapping[str, object] | None = None) -> QuerySet[LedgerEntry]:
    """The account's entries of a month, newest first, of those that have these names."""
    rows = LedgerEntry.objects.filter(account=account, at__gte=month.start, at__lt=month.end, **dict(names or {}))
    return rows.order_by("-at", "-pk")


def entry_page(
    account: User,
    month: Month,
    *,
    names: Mapping[str, object] | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> EntryPage:
    """A page of the account's entries of a month. Raises NotFound for a page after an entry that it does not have."""
    rows = entries_of(account, month, names)
    if before is not None:
        edge = _place_of(account, before)
        rows = rows.filter(Q(at__lt=edge) | Q(at=edge, pk__lt=before))
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return EntryPage(entries=shown, before=shown[-1].pk if len(found) > limit else None)


def _place_of(account: User, number: int) -> datetime:
    places = LedgerEntry.objects.filter(account=account, pk=min(number, BIGGEST)).values_list("at", flat=True)
    at: datetime | None = places.first()
    if at is None:
        raise NotFound("entry_unknown", f"There is no entry {number} in your ledger.")
    return at


def batches_there(entries: Iterable[LedgerEntry]) -> set[int]:
    """Which of the batches that these entries are of still have jobs to look at."""
    numbers = {entry.batch_id for entry in entries if entry.batch_id is not None}
    return set(Batch.objects.filter(pk__in=numbers).values_list("pk", flat=True))


def export_of(account: User, month: Month) -> Iterator[LedgerEntry]:
    """All entries of a month, oldest first, a thousand in memory at a time."""
    rows = LedgerEntry.objects.filter(account=account, at__gte=month.start, at__lt=month.end)
    return rows.order_by("at", "pk").iterator(chunk_size=1000)
