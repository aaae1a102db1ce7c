"""Reads of budgets, of what holds jobs, and of the story of both. A stranger's budget is not there."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from accounts.models import User
from billing.models import Budget, LedgerDay, LimitEvent
from billing.months import month_of
from billing.selectors.spending import Standing, standings, with_forecasts
from common.exceptions import NotFound
from crons.models import JOB_LABEL
from crons.selectors import labels_of
from jobs.models import Hold
from jobs.selectors.holds import held_batches
from jobs.services.start import holds_of

MOST_EVENTS = 20
MOST_NAMES = 100  # labels, and crons, that are offered while one types
BIGGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Held:
    """A hold, and how many jobs are waiting for it and for no older one."""

    hold: Hold
    jobs: int


def budget_for(account: User, number: int, *, locked: bool = False) -> Budget:
    """The account's budget of this number. Raises NotFound for anybody else's. `locked` is for changing it."""
    budgets: QuerySet[Budget] = Budget.objects.select_for_update() if locked else Budget.objects.all()
    budget = budgets.filter(account=account, pk=min(number, BIGGEST)).first()
    if budget is None:
        raise NotFound("budget_unknown", f"There is no budget {number} in this account.")
    budget.account = account
    return budget


def budgets_of(account: User, now: datetime) -> list[Standing]:
    """How far each budget of the account is, and where it will be at the end of the month."""
    order = {"account": 0, "label": 1, "cron": 2}
    budgets = sorted(Budget.objects.filter(account=account), key=lambda budget: (order[budget.scope], budget.name))
    return with_forecasts(standings(budgets, now), now)


def standing_of(budget: Budget, now: datetime) -> Standing:
    """How far one budget is."""
    return with_forecasts(standings([budget], now), now)[0]


def holds_on(account: User) -> list[Held]:
    """What holds jobs of the account now."""
    holds = holds_of(account.pk)
    numbers = dict.fromkeys((hold.pk for hold in holds), 0)
    for label, api_key, number in held_batches(account.pk) if holds else ():
        first = next((hold for hold in holds if hold.meets(label=label, api_key=api_key)), None)
        if first is not None:
            numbers[first.pk] += number
    return [Held(hold=hold, jobs=numbers[hold.pk]) for hold in holds]


def events_of(account: User, *, number: int = MOST_EVENTS) -> list[LimitEvent]:
    """The last things that happened to the account's limits, newest first."""
    return list(LimitEvent.objects.filter(account=account).order_by("-id")[:number])


def names_of(account: User, now: datetime) -> list[str]:
    """Labels and crons that a budget may be for: what cost most this month, and every cron."""
    month = month_of(now)
    days = LedgerDay.objects.filter(account=account, day__range=(month.first, month.last)).exclude(label="").order_by()
    labels = days.values_list("label").annotate(charged=Sum("charge")).order_by("-charged")[:MOST_NAMES]
    used = [label for label, _ in labels if not label.startswith(JOB_LABEL.format(""))]
    return sorted({*used, *labels_of(account)[:MOST_NAMES]})
