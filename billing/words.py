"""Limits of money in sentences: on the pages of jobs that are held, in mails, and in the story of an account."""

from datetime import date
from decimal import Decimal

from billing.models import Action, Budget, Scope
from billing.months import Month
from billing.selectors.spending import Standing
from common.money import dollars, format_dollars
from common.text import make_visible

NAMED = 80  # characters of a label in a sentence


def exact(amount: Decimal) -> str:
    """An amount that somebody set, in dollars and cents."""
    return f"${amount:,.2f}"


def about(budget: Budget) -> str:
    """Which budget, as the object of a sentence."""
    if budget.scope == Scope.ACCOUNT:
        return "the whole account"
    name = make_visible(budget.name)
    shown = name if len(name) <= NAMED else f"{name[:NAMED]}…"
    return f"{'label' if budget.scope == Scope.LABEL else 'cron'} “{shown}”"


def day_of(day: date) -> str:
    return f"{day:%-d %B %Y}"


def held_by(standing: Standing) -> str:
    """Why jobs are held, until when, and what to do."""
    budget = standing.budget
    return (
        f"The budget of {about(budget)}, {exact(budget.amount)} a month, is spent. It goes on by itself on "
        f"{day_of(standing.month.end.date())}; to go on now, raise the budget or let it run for the rest of the month."
    )


def reached(standing: Standing) -> str:
    """What is mailed when a share of a budget is reached."""
    budget, spent = standing.budget, format_dollars(round(standing.spent, 4))
    if not standing.is_spent:
        return f"{spent} of {exact(budget.amount)} are spent this month, {standing.percent} %."
    what = {
        Action.MAIL: "Jobs go on: this budget only mails.",
        Action.HOLD: "New jobs are held from now on; those that run go on.",
        Action.KILL: "New jobs are held from now on, and running ones are killed.",
    }[Action(budget.action)]
    return f"{spent} are spent this month, and the budget is {exact(budget.amount)}. {what}"


def will_not_last(standing: Standing) -> str:
    forecast = standing.forecast_amount or Decimal(0)
    return (
        f"At the pace of the last days the month will come to about {exact(round(forecast, 2))}; the budget is "
        f"{exact(standing.budget.amount)}, and {format_dollars(round(standing.spent, 4))} are spent."
    )


def held_by_credit(amount: Decimal, month: Month) -> str:
    return (
        f"The free credit of the month, {exact(amount)}, is used up. There is new credit on "
        f"{day_of(month.end.date())}, and jobs go on by themselves then; the operator can give more before."
    )


def braked(*, key: int, note: str, now: int, usual: int) -> str:
    """Why the jobs of an API key are held."""
    named = f" ({make_visible(note)[:NAMED]})" if note else ""
    return (
        f"API key {key}{named} used {format_dollars(round(dollars(now), 4))} within an hour; "
        f"usually it is {format_dollars(round(dollars(usual), 4))}. Its new jobs are held until the brake is lifted; "
        "those that run go on."
    )
