"""Reads of what holds jobs."""

from django.db.models import Count, Q

from jobs.models import Hold, Job
from jobs.states import HOLDING, Status


def hold_on(job: Job) -> Hold | None:
    """What holds a job now; None for one that nothing holds."""
    if job.status != Status.WAITING or job.reason not in HOLDING:
        return None
    return Hold.objects.filter(Q(label="") | Q(label=job.batch.label), account=job.account_id).first()


def held_jobs(account_id: int) -> dict[str, int]:
    """How many jobs of the account are held, by label."""
    held = Job.objects.filter(account=account_id, status=Status.WAITING, reason__in=HOLDING)
    return dict(held.order_by().values_list("batch__label").annotate(Count("pk")))
