"""Tables of a month: each line with the jobs behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from billing.models import Kind
from billing.selectors.months import CUTS, KindLine, Line, Sums, Table
from billing.selectors.statements import Bill
from crons.models import JOB_LABEL

TITLES = {
    "function": "By function",
    "label": "By label",
    "cron": "By cron",
    "reservation": "By reservation",
    "api_key": "By API key",
}
# What a line is called that has no name of its own.
WITHOUT = {
    "function": "Not known any more",
    "label": "Without a label",
    "cron": "Not by a cron",
    "reservation": "Without a number",
    "api_key": "From the dashboard",
}
# A table that has nothing but this line would say nothing.
NEEDS_A_NAME = ("label", "cron", "api_key", "reservation")


@dataclass(frozen=True)
class Row:
    """A line. `names` lead to its lines in the ledger, `jobs` filter the jobs panel, if it has such a filter."""

    words: str
    sums: Sums
    names: dict[str, Any]
    jobs: dict[str, Any] | None = None
    note: str = ""
    has_name: bool = True


@dataclass(frozen=True)
class Shown:
    """A table with its title; `others` is what the names come to that are not shown."""

    column: str
    title: str
    rows: list[Row]
    others: Sums | None


def shown(table: Table) -> Shown | None:
    """A table as a page shows it. None when there is nothing in it to tell apart."""
    if not table.lines or (table.column in NEEDS_A_NAME and not any(line.name for line in table.lines)):
        return None
    return Shown(table.column, TITLES[table.column], [_row(table.column, line) for line in table.lines], table.others)


def _row(column: str, line: Line) -> Row:
    names = {"kind": CUTS[column].value, column: line.name}
    if not line.name:
        return Row(WITHOUT[column], line, names, has_name=False)
    words = {"api_key": f"Key {line.name}", "reservation": f"Reservation {line.name}"}.get(column, str(line.name))
    return Row(words, line, names, _jobs_of(column, str(line.name)), line.note)


def _jobs_of(column: str, name: str) -> dict[str, Any] | None:
    match column:
        case "function" | "label":
            return {column: name}
        case "cron":
            return {"label": JOB_LABEL.format(name)}
    return None


def statement_tables(bill: Bill) -> list[Shown]:
    """The tables of a statement."""
    tables = [shown(Table(column=column, lines=lines)) for column, lines in bill.tables.items()]
    return [table for table in tables if table]


def kind_rows(lines: Iterable[KindLine]) -> list[Row]:
    """What a month was for, a line for each core type and each other thing."""
    return [
        Row(
            line.core_type or line.word,
            line,
            {"kind": line.kind, "core_type": line.core_type},
            {"type": line.core_type} if line.kind == Kind.COMPUTE else None,
            line.word if line.core_type else "",
        )
        for line in lines
    ]
