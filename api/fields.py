"""The fields of a job that the API tells: those of jobs, and what rooms above know of it."""

from typing import Any

from accounts.models import User
from jobs.models import Job
from jobs.services.info import FIELDS as OF_JOBS
from jobs.services.info import Fields
from realtime.selectors.waiting import Queue


def fields_for(account: User) -> Fields:
    """By name, for jobs of the account. The queue is read once, however many jobs are asked about."""
    queue = Queue(account.pk)

    def waiting_for(job: Job) -> dict[str, Any] | None:
        found = queue.why(job)
        if found is None:
            return None
        starts_at = found.starts_at
        return {
            "cause": found.cause,
            "sentence": found.sentence,
            "expected_start": starts_at.isoformat() if starts_at else None,
        }

    return {**OF_JOBS, "waiting_for": waiting_for}


FIELDS = (*OF_JOBS, "waiting_for")
