"""Reads of statements: closed ones as they were closed, and the present month as it stands."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from accounts.models import User
from billing.models import Kind, LedgerEntry, Statement
from billing.months import Month, month_of
from billing.selectors.months import CUTS, SUMS, Line, Sums, cut_by, whole
from common.exceptions import NotFound
from common.money import MICROS_PER_DOLLAR

# By hand, so each has a reason to be read.
NOTED = (Kind.CREDIT, Kind.CORRECTION)
MOST_LINES = 1000  # of one table of a statement


UNITS = {
    Kind.COMPUTE: "core-hours",
    Kind.STORAGE: "GB-months",
    Kind.TRANSFER_IN: "GB",
    Kind.TRANSFER_OUT: "GB",
}


@dataclass(frozen=True, kw_only=True)
class BillLine(Sums):
    """What one thing came to at one price."""

    kind: str
    core_type: str = ""
    price_micros: int = 0
    reservation: int | None = None
    note: str = ""

    @property
    def word(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def price(self) -> Decimal | None:
        """Dollars, of the unit of its kind."""
        return Decimal(self.price_micros) / MICROS_PER_DOLLAR if self.price_micros else None

    @property
    def unit(self) -> str:
        """What the price is of, in words; nothing for a sum that has none."""
        return UNITS.get(Kind(self.kind), "")

    @property
    def quantity(self) -> Decimal:
        """How many units."""
        if self.kind == Kind.COMPUTE:
            return self.core_hours
        return self.amount * MICROS_PER_DOLLAR / self.price_micros if self.price_micros else Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A statement as pages and exports show it. Without `closed_at` the month is still open."""

    username: str
    month: Month
    closed_at: datetime | None
    total: Sums
    entries: int
    lines: list[BillLine]
    tables: dict[str, list[Line]]

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


def statements_of(account: User) -> QuerySet[Statement]:
    """The account's closed months, newest first."""
    return Statement.objects.filter(account=account).defer("content")


def bill_for(account: User, month: Month) -> Bill:
    """The statement of a month of the account; of one that is not closed as it stands.

    Raises NotFound for a month that has not begun, or in which the account has nothing.
    """
    statement = Statement.objects.filter(account=account, month=month.first).first()
    if statement is not None:
        return _of_content(statement.content, month=month, closed_at=statement.closed_at)
    content = content_of(account, month)
    if month > month_of(timezone.now()) or (month < month_of(timezone.now()) and not content["entries"]):
        raise NotFound("statement_unknown", f"There is no statement of {month}: nothing was charged in it.")
    return _of_content(content, month=month, closed_at=None)


def entries_in(account: User, month: Month) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(account=account, at__gte=month.start, at__lt=month.end)


def content_of(account: User, month: Month) -> dict[str, Any]:
    """All that a statement says, as JSON can hold it."""
    found = entries_in(account, month).order_by().aggregate(**SUMS, entries=Count("pk"), last=Max("pk"))
    tables = {column: cut_by(account, month, column, shown=MOST_LINES) for column in CUTS}
    return {
        "username": User.objects.values_list("username", flat=True).get(pk=account.pk),
        **whole(found),
        "lines": [asdict(line) for line in _bill_lines(account, month)],
        "tables": {column: [asdict(line) for line in table.lines] for column, table in tables.items()},
    }


def _bill_lines(account: User, month: Month) -> Iterable[BillLine]:
    """Lines by what they are for and by price; what was entered by hand one by one."""
    rows = entries_in(account, month).order_by()
    grouped = rows.exclude(kind__in=NOTED).values("kind", "core_type", "price_micros", "reservation").annotate(**SUMS)
    for row in grouped.order_by("kind", "core_type", "reservation", "price_micros"):
        yield BillLine(**whole(row))
    for entry in rows.filter(kind__in=NOTED).order_by("at", "pk"):
        yield BillLine(kind=entry.kind, note=entry.note, charge=entry.charge)


def _of_content(content: dict[str, Any], *, month: Month, closed_at: datetime | None) -> Bill:
    return Bill(
        username=content["username"],
        month=month,
        closed_at=closed_at,
        total=Sums(charge=content["charge"], core_ms=content["core_ms"], runs=content["runs"]),
        entries=content["entries"],
        lines=[BillLine(**line) for line in content["lines"]],
        tables={column: [Line(**line) for line in lines] for column, lines in content["tables"].items()},
    )
