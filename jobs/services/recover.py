"""Taking jobs back from workers that are gone, or that have not begun them."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from jobs.models import Batch, Job, JobEvent, JobLog, JobResult
from jobs.services import bus
from jobs.services.dependencies import settle_dependants
from jobs.services.dispatch import WorkKind, announce_work
from jobs.services.events import count_moves, lock_order, record_event
from jobs.services.livelog import read_live_log
from jobs.states import Reason, Status

logger = logging.getLogger(__name__)

# A job that takes its worker down each time must not do so for ever.
MAX_RESTARTS = 3
LOST_TEXT = "The worker that ran this job was lost."


def release_worker(*, worker: str) -> int:
    """Take back what a worker of this name held before it was started again; answers how many jobs."""
    return _recover(Q(worker=worker))


def stop_worker(*, worker: str) -> int:
    """Take back what a worker holds that was told to stop: as often as that happens, the jobs run again."""
    return _recover(Q(worker=worker), name="job.given_back")


def expire_leases() -> int:
    """Take back the jobs whose workers have not renewed their lease; answers how many."""
    return _recover(Q(lease_until__lt=timezone.now()))


def _recover(lost: Q, *, name: str = "job.restarted") -> int:
    """Each batch in a transaction of its own, so that one that fails holds up no other."""
    jobs = Job.objects.filter(lost, status=Status.PROCESSING)
    batch_ids = lock_order(jobs.values_list("batch_id", flat=True).distinct())
    return sum(_recover_batch(Batch.objects.get(pk=batch_id), lost, name=name) for batch_id in batch_ids)


def _recover_batch(batch: Batch, lost: Q, *, name: str) -> int:
    with transaction.atomic():
        jobs = list(Job.objects.select_for_update().filter(lost, batch=batch, status=Status.PROCESSING))
        again = [job for job in jobs if _may_run_again(batch, job)]
        ended = [job for job in jobs if job not in again]
        _requeue(batch, again, name=name, reason=Reason.WORKER_LOST)
        for job in ended:
            _end_lost(batch, job)
        settled = settle_dependants([job.pk for job in ended])
    if jobs:
        logger.warning("%s: %d queued again and %d ended after a lost worker", batch, len(again), len(ended))
        settled.tell()
        _tell(batch, finished=[job.jid for job in ended])
    return len(jobs)


def _may_run_again(batch: Batch, job: Job) -> bool:
    if job.kill_requested_at is not None or not batch.restartable:
        return False
    restarts = JobEvent.objects.filter(
        batch=batch, name="job.restarted", first_jid__lte=job.jid, last_jid__gte=job.jid
    ).count()
    return restarts < MAX_RESTARTS


def _requeue(batch: Batch, jobs: Sequence[Job], *, name: str, reason: Reason) -> None:
    if not jobs:
        return
    now = timezone.now()
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        status=Status.QUEUED, reason=reason, worker="", lease_until=None, started_at=None, price_micros=None,
        queued_at=now,
    )  # fmt: skip
    count_moves(batch.pk, {(Status.PROCESSING, Status.QUEUED): len(jobs)})
    record_event(
        batch.pk, (job.jid for job in jobs), name=name, status=Status.QUEUED, reason=reason,
        attempt=jobs[0].attempt, worker=jobs[0].worker, at=now,
    )  # fmt: skip


def _end_lost(batch: Batch, job: Job) -> None:
    """A lost run is not charged: nobody knows what it used."""
    # Who asked for its end left the reason.
    reason = Reason(job.reason) if job.kill_requested_at else Reason.WORKER_LOST
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(status=Status.KILLED, reason=reason, lease_until=None, finished_at=now)
    text = "" if job.kill_requested_at else f"{LOST_TEXT} {_why_not_again(batch)}"
    JobResult.objects.create(job=job, error_text=text)
    JobLog.objects.bulk_create(
        JobLog(job=job, stream=stream, head=text) for stream, text in read_live_log(job.pk).items() if text
    )
    count_moves(batch.pk, {(Status.PROCESSING, Status.KILLED): 1})
    record_event(
        batch.pk, [job.jid], name="job.killed", status=Status.KILLED, reason=reason,
        attempt=job.attempt, worker=job.worker, at=now,
    )  # fmt: skip


def _why_not_again(batch: Batch) -> str:
    if not batch.restartable:
        return "It was submitted with _restartable=False, so it was not run again."
    return f"It was run again {MAX_RESTARTS} times, and each time its worker was lost."


def give_back(*, batch_id: int, worker: str, job_ids: Sequence[int]) -> None:
    """Queue again what a worker claimed and has not begun, for another to take; what somebody ended meanwhile ends."""
    batch = Batch.objects.get(pk=batch_id)
    with transaction.atomic():
        jobs = list(Job.objects.select_for_update().filter(pk__in=job_ids, status=Status.PROCESSING, worker=worker))
        ended = [job for job in jobs if job.kill_requested_at is not None]
        _requeue(batch, [job for job in jobs if job not in ended], name="job.given_back", reason=Reason.NONE)
        for job in ended:
            _end_lost(batch, job)
        settled = settle_dependants([job.pk for job in ended])
    if jobs:
        settled.tell()
        _tell(batch, finished=[job.jid for job in ended])


def _tell(batch: Batch, *, finished: list[int]) -> None:
    announce_work(WorkKind(batch.account_id, batch.core_type_id, batch.cores))
    bus.publish_change(account_id=batch.account_id, batch_ids=[batch.pk], jids=[(jid, jid) for jid in finished])


def close_abandoned_submits(*, older_than: timedelta) -> int:
    """Settle for what has come of maps whose submitter went away in the middle; answers how many."""
    abandoned = Batch.objects.filter(
        received__lt=F("size"), created_at__lt=timezone.now() - older_than, finished_at__isnull=True
    )
    closed = 0
    for batch in abandoned:
        record_event(
            batch.pk, range(batch.first_jid + batch.received, batch.last_jid + 1), name="job.never_received",
            detail="The submitter went away before it had sent these.",
        )  # fmt: skip
        Batch.objects.filter(pk=batch.pk).update(size=F("received"))
        count_moves(batch.pk, {})
        closed += 1
    return closed
