"""Keeping budgets: mail on the way to them, and holds when they are spent."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import words
from billing.models import Action, Budget
from billing.selectors.spending import Standing, standings, with_forecasts
from billing.services.notices import note
from billing.terms import label_of
from jobs.models import Hold
from jobs.services.holds import kill_running, lift_hold, place_hold
from jobs.states import Reason

AT_ONCE = 1000  # budgets looked at together


def check_budgets(now: datetime | None = None) -> None:
    """Look at every budget: mail what it has reached, place its hold or lift it. For the clock."""
    moment = now or timezone.now()
    for budgets in _portions():
        apply_budgets(budgets, now=moment)
    _lift_orphans()


def _lift_orphans() -> None:
    """Lift the holds of budgets that were removed by somebody who did not come to that."""
    holds = Hold.objects.filter(reason=Reason.BUDGET).select_related("account")
    sources = {budget.source for budget in Budget.objects.filter(account__in=[hold.account_id for hold in holds])}
    for hold in holds:
        if hold.source not in sources:
            lift_hold(account=hold.account, source=hold.source)


def check_forecasts(now: datetime | None = None) -> None:
    """Mail which budgets will not last, each once in a month. For the clock."""
    moment = now or timezone.now()
    for budgets in _portions():
        for standing in with_forecasts(standings(budgets, moment), moment):
            if not (standing.budget.said_forecast and standing.budget.said_month == standing.month.first):
                _tell_forecast(standing)


def _portions() -> Iterable[list[Budget]]:
    last = 0
    while budgets := list(Budget.objects.filter(pk__gt=last).select_related("account").order_by("pk")[:AT_ONCE]):
        yield budgets
        last = budgets[-1].pk


def apply_budgets(budgets: Sequence[Budget], *, now: datetime) -> None:
    """Do at once what these budgets ask for as they stand."""
    accounts = {budget.account_id for budget in budgets}
    placed = {hold.source: hold.sentence for hold in Hold.objects.filter(account__in=accounts, reason=Reason.BUDGET)}
    for standing in standings(budgets, now):
        _tell_share(standing)
        _hold_or_lift(standing, placed.get(standing.budget.source))


def _hold_or_lift(standing: Standing, placed: str | None) -> None:
    budget = standing.budget
    label = label_of(budget.scope, budget.name)
    sentence = words.held_by(standing)
    if standing.holds and placed != sentence:
        number = place_hold(
            account=budget.account, source=budget.source, reason=Reason.BUDGET, sentence=sentence, label=label
        )
        if placed is None:
            held = f"{number:,} queued jobs wait for it. " if number else ""
            note(budget.account, "budget.held", words.about(budget), f"{held}{sentence}")
    elif placed is not None and not standing.holds:
        number = lift_hold(account=budget.account, source=budget.source)
        note(budget.account, "budget.released", words.about(budget), f"Jobs start again; {number:,} were held.")
    if standing.holds and budget.action == Action.KILL:
        kill_running(account=budget.account, reason=Reason.BUDGET, detail=sentence, label=label)


def _tell_share(standing: Standing) -> None:
    """Tell of the highest share that is reached, once."""
    budget, reached, month = standing.budget, standing.reached, standing.month.first
    said = budget.said_percent if budget.said_month == month else 0
    if reached <= said:
        return
    with transaction.atomic():
        # Taken first: of two clocks only one tells it.
        mine = _as_seen(budget).filter(said_percent=budget.said_percent)
        if mine.update(said_month=month, said_percent=reached, said_forecast=_said_forecast(budget, month)):
            note(budget.account, "budget.reached", words.about(budget), words.reached(standing), mail=budget.mails)


def _tell_forecast(standing: Standing) -> None:
    budget, month = standing.budget, standing.month.first
    if not standing.will_not_last:
        return
    said = budget.said_percent if budget.said_month == month else 0
    with transaction.atomic():
        mine = _as_seen(budget).filter(Q(said_forecast=False) | ~Q(said_month=month))
        if mine.update(said_month=month, said_percent=said, said_forecast=True):
            text = words.will_not_last(standing)
            note(budget.account, "budget.forecast", words.about(budget), text, mail=budget.mails)


def _as_seen(budget: Budget) -> QuerySet[Budget]:
    return Budget.objects.filter(pk=budget.pk, said_month=budget.said_month)


def _said_forecast(budget: Budget, month: date) -> bool:
    return budget.said_forecast and budget.said_month == month
