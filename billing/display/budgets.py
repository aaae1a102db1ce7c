"""How budgets look: a mark, a word, and a bar."""

from dataclasses import dataclass

from billing import words
from billing.models import Action
from billing.selectors.spending import Standing
from jobs.display.looks import Look

NEAR = 80  # percent


def look_of_budget(standing: Standing) -> Look:
    """What it does now, else where it is going."""
    if standing.holds:
        return Look("paused", "Holding", "spent")
    if standing.is_spent:
        why = "runs on this month" if standing.budget.action != Action.MAIL else "mails only"
        return Look("error", "Spent", why)
    if standing.will_not_last:
        return Look("late", "Will not last")
    if standing.percent >= NEAR:
        return Look("late", "Nearly spent")
    return Look("done", "On course")


@dataclass(frozen=True)
class BudgetRow:
    """A line of the list."""

    standing: Standing
    look: Look
    about: str

    @property
    def tone(self) -> str:
        """Of the bar."""
        return "is-over" if self.standing.is_spent else "is-near" if self.standing.percent >= NEAR else ""

    @property
    def filled(self) -> int:
        """Percent of the bar."""
        return min(100, max(0, self.standing.percent))


def row_of(standing: Standing) -> BudgetRow:
    about = words.about(standing.budget)
    return BudgetRow(standing, look_of_budget(standing), about[0].upper() + about[1:])
