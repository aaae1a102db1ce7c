"""What the budgets of accounts have seen spent in a month: what the ledger has, and what runs now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from billing.models import Action, Budget, LedgerDay
from billing.months import Month, month_of
from billing.terms import label_of
from common.money import dollars
from jobs.selectors.running import Running, running_now

PACE_DAYS = 7
DAY = timedelta(days=1)
THRESHOLDS = (50, 80, 100)  # percent


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a budget is in the present month. Charges are ms x cores x micro-dollars per core-hour."""

    budget: Budget
    month: Month
    posted: int
    running: int
    forecast: int | None = None

    @property
    def charge(self) -> int:
        return self.posted + self.running

    @property
    def spent(self) -> Decimal:
        """Dollars, with what runs now."""
        return dollars(self.charge)

    @property
    def running_amount(self) -> Decimal:
        return dollars(self.running)

    @property
    def left(self) -> Decimal:
        """Dollars, never less than none."""
        return dollars(max(0, self.budget.limit - self.charge))

    @property
    def percent(self) -> int:
        """Whole percent of the budget; 100 means that it is spent."""
        return self.charge * 100 // self.budget.limit

    @property
    def is_spent(self) -> bool:
        return self.charge >= self.budget.limit

    @property
    def reached(self) -> int:
        """The highest share that is told of, in percent; 0 below all of them."""
        return max((share for share in THRESHOLDS if self.percent >= share), default=0)

    @property
    def is_waived(self) -> bool:
        return self.budget.waived_month == self.month.first

    @property
    def holds(self) -> bool:
        """Whether jobs are to be held for it."""
        return self.is_spent and self.budget.action != Action.MAIL and not self.is_waived

    @property
    def forecast_amount(self) -> Decimal | None:
        """Dollars that the month will come to at the pace of the last days."""
        return None if self.forecast is None else dollars(self.forecast)

    @property
    def will_not_last(self) -> bool:
        return self.forecast is not None and not self.is_spent and self.forecast > self.budget.limit


def standings(budgets: Sequence[Budget], now: datetime) -> list[Standing]:
    """How far each budget is, in a few statements for all of them."""
    month = month_of(now)
    accounts = {budget.account_id for budget in budgets}
    days = LedgerDay.objects.filter(account__in=accounts, day__range=(month.first, month.last)).order_by()
    labels = {label_of(budget.scope, budget.name) for budget in budgets} - {""}
    totals = dict(days.values_list("account_id").annotate(Sum("charge")))
    by_label: dict[tuple[int, str], int] = {}
    if labels:
        rows = days.filter(label__in=labels).values_list("account_id", "label").annotate(Sum("charge"))
        by_label = {(account_id, label): charge for account_id, label, charge in rows}
    running = _by_account(running_now(accounts)) if budgets else {}
    found = []
    for budget in budgets:
        label = label_of(budget.scope, budget.name)
        posted = by_label.get((budget.account_id, label), 0) if label else totals.get(budget.account_id, 0)
        now_running = sum(job.charge for job in running.get(budget.account_id, ()) if label in ("", job.label))
        found.append(Standing(budget=budget, month=month, posted=int(posted), running=now_running))
    return found


def _by_account(jobs: Sequence[Running]) -> Mapping[int, list[Running]]:
    found: dict[int, list[Running]] = defaultdict(list)
    for job in jobs:
        found[job.account_id].append(job)
    return found


def with_forecasts(found: Sequence[Standing], now: datetime) -> list[Standing]:
    """The same with what the month will come to: what it has, and for its rest the pace of the last whole days."""
    today = now.astimezone(UTC).date()
    accounts = {standing.budget.account_id for standing in found}
    days = LedgerDay.objects.filter(account__in=accounts, day__gte=today - PACE_DAYS * DAY, day__lt=today).order_by()
    labels = {label_of(standing.budget.scope, standing.budget.name) for standing in found} - {""}
    whole = _sums(days.values_list("account_id", "day"))
    by_label = _sums(days.filter(label__in=labels).values_list("account_id", "label", "day")) if labels else {}
    result = []
    for standing in found:
        budget = standing.budget
        label = label_of(budget.scope, budget.name)
        sums = by_label.get((budget.account_id, label), {}) if label else whole.get((budget.account_id,), {})
        forecast = None
        if sums:
            # Of a budget that began to be used within these days, by the days since.
            pace = sum(sums.values()) // (today - min(sums)).days
            forecast = standing.charge + int(pace * ((standing.month.end - now) / DAY))
        result.append(replace(standing, forecast=forecast))
    return result


def _sums(rows: Any) -> Mapping[tuple[Any, ...], dict[date, int]]:
    """What each day came to, by the columns before the day."""
    found: dict[tuple[Any, ...], dict[date, int]] = defaultdict(dict)
    for *names, day, charge in rows.annotate(charged=Sum("charge")):
        found[tuple(names)][day] = int(charge)
    return found
