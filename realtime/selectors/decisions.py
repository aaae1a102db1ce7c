"""What was decided about capacity. It is the operator's affair."""

from dataclasses import dataclass

from realtime.models import Decision
from realtime.selectors.snapshot import core_type_codes

PAGE = 50


@dataclass(frozen=True, kw_only=True)
class DecisionPage:
    """Decisions, newest first; `before` is the number to go on from, None at the end."""

    decisions: list[Decision]
    before: int | None


def latest_decisions() -> list[Decision]:
    """The last one of each core type."""
    found = (Decision.objects.filter(core_type=code).order_by("-id").first() for code in core_type_codes())
    return [decision for decision in found if decision is not None]


def decision_page(*, before: int | None = None, acts_only: bool = False, limit: int = PAGE) -> DecisionPage:
    """A page of what was written down; with `acts_only` what started or gave back machines."""
    rows = Decision.objects.order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if acts_only:
        rows = rows.exclude(launch=0, drain=0)
    found = list(rows[: limit + 1])
    return DecisionPage(decisions=found[:limit], before=found[limit - 1].pk if len(found) > limit else None)
