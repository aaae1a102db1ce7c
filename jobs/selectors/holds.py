"""Reads of what holds jobs."""

from django.db.models import BooleanField, Count
from django.db.models.expressions import RawSQL

from jobs.models import Hold, Job
from jobs.services.start import holds_of
from jobs.states import HOLDING, Status


def hold_on(job: Job) -> Hold | None:
    """What holds a job now; None for one that nothing holds."""
    if job.status != Status.WAITING or job.reason not in HOLDING:
        return None
    label, api_key = job.batch.label, job.batch.api_key
    return next((hold for hold in holds_of(job.account_id) if hold.meets(label=label, api_key=api_key)), None)


def held_batches(account_id: int) -> list[tuple[str, int | None, int]]:
    """(label, API key, how many) of the account's held jobs. Written out, because their index is partial."""
    is_held = RawSQL('"jobs_job"."status" = \'waiting\' AND "jobs_job"."reason" <> \'\'', [], BooleanField())
    held = Job.objects.filter(is_held, account=account_id).order_by()
    return list(held.values_list("batch__label", "batch__api_key").annotate(Count("pk")))
