"""Forgetting runs of long ago: a cron of every minute leaves half a million rows a year."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from crons.models import CronRun
from crons.states import Outcome, Verdict

AT_ONCE = 5_000  # rows of one transaction


def forget_old_runs() -> int:
    """Delete runs that were due before the days that are kept; what each day came to stays. Answers how many."""
    oldest_kept = timezone.now() - timedelta(days=settings.CRON_HISTORY_DAYS)
    total = 0
    # Rows come in about the order of their time, so the oldest are found by their key.
    while numbers := list(CronRun.objects.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        old = CronRun.objects.filter(pk__range=(numbers[0], numbers[-1]), scheduled_at__lt=oldest_kept)
        deleted, _ = old.exclude(outcome=Outcome.SUBMITTED, verdict=Verdict.PENDING).delete()
        total += deleted
        if not deleted:
            break
    return total
