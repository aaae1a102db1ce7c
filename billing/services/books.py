"""Writing into the ledger: one door for every entry, whatever it is for."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing.models import Books, LedgerDay, LedgerEntry
from billing.models.ledger import NAMES, SUMS
from common.sql import execute_many, insert_many

THE_BOOKS = 1


@contextmanager
def locked_books() -> Iterator[Books]:
    """A transaction in which nobody else writes to the ledger or closes a month."""
    with transaction.atomic():
        books, _ = Books.objects.select_for_update().get_or_create(pk=THE_BOOKS)
        yield books


def hour_of(moment: datetime) -> datetime:
    """The hour, UTC, that a moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def append(books: Books, entries: Sequence[LedgerEntry]) -> None:
    """Add entries to the ledger and to the sums of their days. Call it with the books locked.

    One that belongs into a closed month goes into the first open one, and one from a clock that was wrong into the
    present hour: what a statement says never changes.
    """
    if not entries:
        return
    latest = hour_of(timezone.now())
    for entry in entries:
        entry.at = min(entry.at, latest)
        if books.open_from is not None and entry.at < books.open_from:
            entry.note = f"{entry.note} Of {entry.at:%Y-%m-%d %H:00}, a month that was closed.".strip()
            entry.at = books.open_from
    insert_many(LedgerEntry, [_columns(entry) for entry in entries])
    _add_to_days(entries)


def _columns(entry: LedgerEntry) -> dict[str, Any]:
    fields = LedgerEntry._meta.local_concrete_fields
    return {field.attname: getattr(entry, field.attname) for field in fields if not field.primary_key}


def _add_to_days(entries: Sequence[LedgerEntry]) -> None:
    sums: dict[tuple[Any, ...], list[int]] = {}
    for entry in entries:
        key = (entry.account_id, entry.at.astimezone(UTC).date(), *(getattr(entry, name) for name in NAMES))
        row = sums.setdefault(key, [0] * len(SUMS))
        for place, name in enumerate(SUMS):
            row[place] += getattr(entry, name)
    rows = ((*key, _digest(key[2:]), *row) for key, row in sums.items())
    execute_many(_ADD, [(account, _day(day), *rest) for account, day, *rest in rows])


def _digest(names: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _day(day: date) -> Any:
    return str(day) if connection.vendor == "sqlite" else day


_TABLE = LedgerDay._meta.db_table
_COLUMNS = ("account_id", "day", *NAMES, "names", *SUMS)
_ADD = (
    f'INSERT INTO "{_TABLE}" ({", ".join(_COLUMNS)}) '
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT (account_id, day, names) DO UPDATE SET "
    + ", ".join(f'{name} = "{_TABLE}".{name} + excluded.{name}' for name in SUMS)
)
