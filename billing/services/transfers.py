"""Charging for the bytes of files that were sent here and fetched, when their day is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from django.utils import timezone

from billing.models import Kind, LedgerEntry, RateKind
from billing.services.books import append, locked_books
from billing.services.rates import rate_at
from billing.services.storage import GB
from common.money import MS_PER_HOUR
from storage.models import TransferDay

# A request that began on the day before may still be counted for it.
REST = timedelta(hours=1)
# So long a clock may have been away.
LOOKED_BACK = timedelta(days=7)
AT_ONCE = 1000  # names of one look
LAST_HOUR = time(23, tzinfo=UTC)


class _Due(NamedTuple):
    account_id: int
    at: datetime
    kind: Kind
    bytes: int
    micros: int

    @property
    def once(self) -> str:
        return f"{self.kind} {self.account_id} {self.at:%Y-%m-%d}"


def charge_of_transfer(*, size: int, micros: int) -> int:
    """The charge of so many bytes at so many micro-dollars for a GB; rounded down by less than 1e-12 dollars."""
    return size * micros * MS_PER_HOUR // GB


def charge_transfers() -> int:
    """Charge what was transferred on days that are over, once each; answers how many entries that makes.

    At the price with which the day began. Raises RateMissing.
    """
    due = {one.once: one for one in _due()}
    if not due:
        return 0
    with locked_books() as books:
        names = list(due)
        for start in range(0, len(names), AT_ONCE):
            known = LedgerEntry.objects.filter(once__in=names[start : start + AT_ONCE])
            for once in known.values_list("once", flat=True):
                del due[str(once)]
        append(books, [_entry(one) for one in due.values()])
    return len(due)


def _due() -> Iterator[_Due]:
    now, price = timezone.now(), cache(rate_at)
    over = (now - REST).astimezone(UTC).date()
    for row in TransferDay.objects.filter(day__gte=over - LOOKED_BACK, day__lt=over):
        began = datetime.combine(row.day, time(), tzinfo=UTC)
        for kind, rate, size in (
            (Kind.TRANSFER_IN, RateKind.TRANSFER_IN, row.bytes_in),
            (Kind.TRANSFER_OUT, RateKind.TRANSFER_OUT, row.bytes_out),
        ):
            if size and (micros := price(rate, began)):
                yield _Due(row.account_id, datetime.combine(row.day, LAST_HOUR), kind, size, micros)


def _entry(due: _Due) -> LedgerEntry:
    return LedgerEntry(
        account_id=due.account_id,
        kind=due.kind,
        at=due.at,
        charge=charge_of_transfer(size=due.bytes, micros=due.micros),
        price_micros=due.micros,
        bytes=due.bytes,
        once=due.once,
    )
