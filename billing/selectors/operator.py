"""Reads for the operator: all accounts together. No page of an account uses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, Sum

from accounts.models import User
from billing.models import Kind, LedgerDay, Reconciliation, StorageDay
from billing.months import Month
from billing.selectors.months import SUMS, Sums, whole
from common.exceptions import NotFound

MOST_ACCOUNTS = 100
MOST_RECONCILIATIONS = 14


@dataclass(frozen=True, kw_only=True)
class AccountLine(Sums):
    """What an account has come to in a month. `before` is the charge of the month before."""

    account: int
    username: str
    before: Sums


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A month of the installation. `others` are the accounts that have no line."""

    total: Sums
    accounts: list[AccountLine]
    others: Sums | None
    reserved_unused: Sums
    stored: int  # bytes, when they were last measured


def check_operator(user: User) -> None:
    """Raises NotFound for whoever is no operator: they are not told that there is such a page."""
    if not user.is_staff:
        raise NotFound("page_unknown", "There is no such page.")


def overview_of(month: Month, now: datetime) -> Overview:
    """What all accounts together have come to in a month, and the dearest of them."""
    rows = LedgerDay.objects.filter(day__range=(month.first, month.last)).order_by()
    total = Sums(**whole(rows.aggregate(**SUMS)))
    lines = _accounts(month)
    others = None
    if len(lines) > MOST_ACCOUNTS:
        lines, others = lines[:MOST_ACCOUNTS], total
        for line in lines:
            others -= line
    reserved = Sums(**whole(rows.filter(kind=Kind.RESERVATION).aggregate(**SUMS)))
    return Overview(total=total, accounts=lines, others=others, reserved_unused=reserved, stored=_stored(now))


def _accounts(month: Month) -> list[AccountLine]:
    rows = LedgerDay.objects.filter(day__range=(month.first, month.last)).order_by()
    found = rows.values("account", username=F("account__username")).annotate(**SUMS)
    shown = [whole(row) for row in found.order_by("-charge", "account")[: MOST_ACCOUNTS + 1]]
    earlier = _charges(month.before, [row["account"] for row in shown])
    return [AccountLine(**row, before=Sums(charge=earlier.get(row["account"], 0))) for row in shown]


def _charges(month: Month, accounts: Sequence[int]) -> dict[int, int]:
    rows = LedgerDay.objects.filter(account__in=accounts, day__range=(month.first, month.last)).order_by()
    return {account: int(charge) for account, charge in rows.values_list("account").annotate(Sum("charge"))}


def _stored(now: datetime) -> int:
    days = StorageDay.objects.filter(day__gte=(now.astimezone(UTC) - timedelta(days=2)).date())
    last = days.order_by("-day").values_list("day", flat=True)[:1]
    return int(days.filter(day__in=list(last)).aggregate(whole=Sum("bytes"))["whole"] or 0)


def reconciliations() -> list[Reconciliation]:
    """The last ones, newest first."""
    return list(Reconciliation.objects.order_by("-at")[:MOST_RECONCILIATIONS])
