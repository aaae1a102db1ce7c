"""Parts of pages about limits of money."""

from django import template

from accounts.models import User
from billing import words
from billing.selectors.budgets import Held, holds_on

register = template.Library()

ACTS = {
    "budget.set": "Set",
    "budget.changed": "Changed",
    "budget.removed": "Removed",
    "budget.waived": "Runs on this month",
    "budget.reached": "Reached",
    "budget.forecast": "Will not last",
    "budget.held": "Holding",
    "budget.released": "Released",
}

register.filter("about", words.about)
register.filter("exact", words.exact)


@register.filter
def act(name: str) -> str:
    """What happened, in words."""
    return ACTS[name]


@register.simple_tag
def held_jobs_of(account: User) -> list[Held]:
    """What holds jobs of an account now."""
    return holds_on(account)


@register.filter
def budget_number(source: str) -> int | None:
    """The number of the budget that a hold is named by; none when something else placed it."""
    kind, _, number = source.partition("-")
    return int(number) if kind == "budget" and number.isdecimal() else None
