"""Writing the story of crons."""

from datetime import datetime

from django.utils import timezone

from crons.models import Cron, CronEvent


def record_event(
    cron: Cron, name: str, *, before: str = "", after: str = "", detail: str = "", at: datetime | None = None
) -> None:
    """Add one event to the story of a cron."""
    CronEvent.objects.create(
        cron=cron, name=name, before=before[:200], after=after[:200], detail=detail[:300], at=at or timezone.now()
    )
