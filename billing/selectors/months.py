"""Reads of a month of an account: what it came to, day by day, and by what it was for.

All of them read the sums of days, so they cost by what was used and not by how often.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum

from accounts.models import ApiKey, User
from billing.models import Kind, LedgerDay
from billing.months import Month, month_of
from common.money import MS_PER_HOUR, dollars
from jobs.selectors.running import running_now

SHOWN = 20  # lines of a table; the rest is one line
PACE_DAYS = 7
DAY = timedelta(days=1)
# What comes of using something, and will come again.
USED = (Kind.COMPUTE, Kind.RESERVATION, Kind.STORAGE, Kind.TRANSFER_IN, Kind.TRANSFER_OUT)
# What a month is cut by: the name of a column, and the kinds of entries that it says something of.
CUTS: dict[str, Kind] = {
    "function": Kind.COMPUTE,
    "label": Kind.COMPUTE,
    "cron": Kind.COMPUTE,
    "reservation": Kind.RESERVATION,
    "api_key": Kind.COMPUTE,
}


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What some entries come to."""

    charge: int = 0
    core_ms: int = 0
    runs: int = 0

    @property
    def amount(self) -> Decimal:
        """Dollars, exact."""
        return dollars(self.charge)

    @property
    def core_hours(self) -> Decimal:
        return Decimal(self.core_ms) / MS_PER_HOUR

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(
            charge=self.charge - other.charge, core_ms=self.core_ms - other.core_ms, runs=self.runs - other.runs
        )


@dataclass(frozen=True, kw_only=True)
class Line(Sums):
    """The sums of one name; `name` is "" or None for what has none."""

    name: str | int | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class KindLine(Sums):
    kind: str
    core_type: str

    @property
    def word(self) -> str:
        return Kind(self.kind).label


@dataclass(frozen=True, kw_only=True)
class Table:
    """A month cut by a column: the dearest names, and what all others come to."""

    column: str
    lines: list[Line]
    others: Sums | None = None


@dataclass(frozen=True, kw_only=True)
class Series:
    """What was charged for one thing on each day of a month."""

    name: str
    charges: list[int]

    @property
    def amounts(self) -> list[Decimal]:
        return [dollars(charge) for charge in self.charges]


SUMS = {"charge": Sum("charge"), "core_ms": Sum("core_ms"), "runs": Sum("runs")}


def whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its sums, which a database may answer as decimals or as nothing, as whole numbers."""
    return {**row, **{name: int(row[name] or 0) for name in SUMS}}


def _sums(rows: QuerySet[LedgerDay]) -> Sums:
    return Sums(**whole(rows.order_by().aggregate(**SUMS)))


def days_of(account: User, month: Month) -> QuerySet[LedgerDay]:
    """The sums of the account's days in a month."""
    return LedgerDay.objects.filter(account=account, day__range=(month.first, month.last))


def total_of(account: User, month: Month, names: Mapping[str, object] | None = None) -> Sums:
    """What the month has come to so far, or what of it has these names."""
    return _sums(days_of(account, month).filter(**dict(names or {})))


def running_of(account: User) -> Decimal:
    """Dollars of what runs now, if it ended now: the ledger has it when it has ended."""
    return dollars(sum(job.charge for job in running_now([account.pk])))


def kinds_of(account: User, month: Month) -> list[KindLine]:
    """The month by what it was for: each core type, reserved cores, storage and so on; the dearest first."""
    rows = days_of(account, month).order_by().values("kind", "core_type").annotate(**SUMS)
    return [KindLine(**whole(row)) for row in rows.order_by("-charge", "kind", "core_type")]


def cut_by(account: User, month: Month, column: str, *, shown: int | None = SHOWN) -> Table:
    """The month cut by a column of the ledger. `shown` None is for all names."""
    rows = days_of(account, month).filter(kind=CUTS[column])
    found = rows.order_by().values(name=F(column)).annotate(**SUMS).order_by("-charge", "-core_ms", "name")
    lines = [Line(**whole(row)) for row in (found if shown is None else found[: shown + 1])]
    others = None
    if shown is not None and len(lines) > shown:
        lines = lines[:shown]
        others = _sums(rows)
        for line in lines:
            others -= line
    if column == "api_key":
        lines = _with_notes(account, lines)
    return Table(column=column, lines=lines, others=others)


def _with_notes(account: User, lines: list[Line]) -> list[Line]:
    """Keys with what their owner calls them."""
    notes: dict[object, str] = dict(ApiKey.objects.filter(user=account).values_list("pk", "note"))
    return [replace(line, note=notes.get(line.name, "")) for line in lines]


def series_of(account: User | None, month: Month) -> list[Series]:
    """What was used on each day of a month: a series for each core type, then one for each other kind.

    Credits and corrections are of no day. None is for all accounts together, which only the operator may see.
    """
    rows = LedgerDay.objects.filter(day__range=(month.first, month.last), kind__in=USED)
    if account is not None:
        rows = rows.filter(account=account)
    found = rows.order_by().values_list("kind", "core_type", "day").annotate(Sum("charge"))
    charges: dict[tuple[bool, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for kind, core_type, day, charge in found:
        name = core_type if kind == Kind.COMPUTE else str(Kind(kind).label)
        charges[kind != Kind.COMPUTE, name][day] += int(charge)
    return [
        Series(name=name, charges=[by_day.get(day, 0) for day in month.days])
        for (_, name), by_day in sorted(charges.items())
    ]


def pace_of(account: User, now: datetime) -> int:
    """The charge of a day at the pace of the last seven whole ones; before there is one, at the pace of today."""
    today = now.astimezone(UTC).date()
    used = LedgerDay.objects.filter(account=account, kind__in=USED)
    first = used.order_by("day").values_list("day", flat=True).first()
    if first is None or first > today:
        return 0
    if first == today:
        elapsed = now - datetime(today.year, today.month, today.day, tzinfo=UTC)
        # Of the first minutes nothing can be told.
        return int(_sums(used.filter(day=today)).charge * (DAY / max(elapsed, timedelta(hours=1))))
    begin = max(first, today - PACE_DAYS * DAY)
    return _sums(used.filter(day__gte=begin, day__lt=today)).charge // (today - begin).days


def forecast_of(account: User, now: datetime) -> Decimal:
    """What the present month will come to: what it has, and for what is left of it the pace of the last days."""
    month = month_of(now)
    left = month.end - now
    return dollars(total_of(account, month).charge + int(pace_of(account, now) * (left / DAY)))
