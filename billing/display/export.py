"""Lines of the ledger as files, written as they are read: CSV that no spreadsheet takes for formulas, and JSON."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from billing.models import LedgerEntry

# What a spreadsheet begins a formula with. Numbers are ours, and may be negative.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


# Written by people, all others by us.
TEXTS = ("function", "label", "cron", "note")
COLUMNS = (
    *("entry", "hour", "kind", "core_type", "cores", "function", "label", "cron", "api_key", "reservation"),
    *("first_jid", "last_jid", "runs", "core_ms", "bytes", "price", "cost", "note"),
)


def row_of(entry: LedgerEntry) -> dict[str, Any]:
    """An entry as programs get it. Amounts are text, because they are exact; times are UTC."""
    return {
        "entry": entry.pk,
        "hour": entry.at.isoformat(),
        "kind": entry.kind,
        "core_type": entry.core_type or None,
        "cores": entry.cores or None,
        "function": entry.function or None,
        "label": entry.label or None,
        "cron": entry.cron or None,
        "api_key": entry.api_key,
        "reservation": entry.reservation,
        "first_jid": entry.first_jid,
        "last_jid": entry.last_jid,
        "runs": entry.runs,
        "core_ms": entry.core_ms,
        "bytes": entry.bytes,
        "price": f"{entry.price:f}",
        "cost": f"{entry.amount:f}",
        "note": entry.note or None,
    }


class _Line:
    """A file of the one line that was written last."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> Any:
    """A cell that a spreadsheet shows as the text that it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def csv_of(entries: Iterable[LedgerEntry]) -> Iterator[str]:
    """A header, and a line for each entry."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        row = row_of(entry)
        yield writer.writerow([safe(row[name]) if name in TEXTS else row[name] for name in COLUMNS])


def json_of(head: dict[str, Any], entries: Iterable[LedgerEntry]) -> Iterator[str]:
    """An object with this head and a list `entries`, an entry a line."""
    yield f'{json.dumps(head)[:-1]}, "entries": ['
    before = "\n"
    for entry in entries:
        yield before + json.dumps(row_of(entry))
        before = ",\n"
    yield "\n]}\n"
