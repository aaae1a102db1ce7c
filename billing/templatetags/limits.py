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
    "credit.used_up": "Used up",
    "credit.renewed": "Renewed",
    "brake.put": "Brake on",
    "brake.lifted": "Brake lifted",
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
def number_of(source: str, kind: str) -> int | None:
    """The number of the budget or brake that a hold is named by; none when something else placed it."""
    placed_by, _, number = source.partition("-")
    return int(number) if placed_by == kind and number.isdecimal() else None
