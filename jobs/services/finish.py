"""Bringing in what a worker reports: one transaction for a chunk, applied only to the attempt that ran."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, transaction

from common.money import charge_of
from common.ranges import ranges_of
from common.sql import db_times, execute_many, fetch_all, for_update, insert_rows
from jobs.models import JobLog, JobMetrics
from jobs.services import bus
from jobs.services.cost_limit import end_if_spent
from jobs.services.dependencies import settle_dependants
from jobs.services.events import count_moves, record_event
from jobs.services.work import Work
from jobs.states import Reason, Status, check_move
from storage.services import put_bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KeptLog:
    """What is kept of one stream of a job's output."""

    stream: str
    head: str
    tail: str = ""
    dropped: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one run of a job ended, as its worker saw it."""

    job_id: int
    jid: int
    attempt: int
    status: Status
    reason: Reason
    result: bytes | memoryview
    is_exception: bool
    error_text: str
    started_at: datetime
    finished_at: datetime
    run_ms: int
    cpu_user_ms: int = 0
    cpu_system_ms: int = 0
    memory_peak: int = 0
    logs: Sequence[KeptLog] = ()
    samples: Sequence[Sequence[float]] = field(default=())


def finish_jobs(*, work: Work, price_micros: int, worker: str, outcomes: Sequence[Outcome]) -> int:
    """Apply the outcomes of jobs of one batch; answers how many were applied.

    The report of an attempt that is no longer the current one is kept as an event and changes nothing.
    """
    keys = _store_large_results(work, outcomes)
    with transaction.atomic():
        ours = _still_running(work, outcomes, worker)
        current = [o for o in outcomes if (o.job_id, o.attempt) in ours]
        late = [o for o in outcomes if (o.job_id, o.attempt) not in ours]
        _record_late(work, late, worker)
        _write_rows(work, current, keys, price_micros)
        _write_story(work, current, worker)
        _count(work, current, price_micros)
        settled = settle_dependants([o.job_id for o in current])
    bus.publish_change(account_id=work.account_id, batch_ids=[work.batch_id], jids=ranges_of(o.jid for o in current))
    settled.tell()
    if work.max_charge is not None:
        _end_if_spent(work.batch_id)
    return len(current)


def _end_if_spent(batch_id: int) -> None:
    """What was brought in stays so; if this fails, the next claim or finish of the batch sees it too."""
    try:
        end_if_spent(batch_id)
    except DatabaseError as error:
        logger.warning("batch %d is not ended yet: %s", batch_id, error)


def _still_running(work: Work, outcomes: Sequence[Outcome], worker: str) -> set[tuple[int, int]]:
    """(job, attempt) of those that this worker holds, locked until the transaction ends."""
    jids = [outcome.jid for outcome in outcomes]
    rows = fetch_all(
        "SELECT id, attempt FROM jobs_job WHERE account_id = %s AND jid BETWEEN %s AND %s AND batch_id = %s "
        f"AND status = 'processing' AND worker = %s ORDER BY id{for_update()}",
        [work.account_id, min(jids), max(jids), work.batch_id, worker],
    )
    return {(pk, attempt) for pk, attempt in rows}


def _store_large_results(work: Work, outcomes: Sequence[Outcome]) -> dict[int, str]:
    """Put results over the limit in the object store, before the transaction; answers their keys by job."""
    keys = {}
    for outcome in outcomes:
        if len(outcome.result) > settings.INLINE_LIMIT:
            # The attempt is part of the key: a late report must not write over the result that counts.
            key = f"results/{work.account_id}/{outcome.jid}-{outcome.attempt}"
            put_bytes(key, bytes(outcome.result))
            keys[outcome.job_id] = key
    return keys


def _record_late(work: Work, late: Sequence[Outcome], worker: str) -> None:
    for outcome in late:
        logger.warning("%s reports attempt %d of job %d too late", worker, outcome.attempt, outcome.jid)
        record_event(
            work.batch_id, [outcome.jid], name="job.late_report", attempt=outcome.attempt, worker=worker,
            detail=f"{outcome.status} after {outcome.run_ms} ms; not applied.",
        )  # fmt: skip


def _write_rows(work: Work, outcomes: Sequence[Outcome], keys: dict[int, str], price_micros: int) -> None:
    for status in {outcome.status for outcome in outcomes}:
        check_move(Status.PROCESSING, status)
    started = db_times(o.started_at for o in outcomes)
    finished = db_times(o.finished_at for o in outcomes)
    execute_many(
        """
        UPDATE jobs_job SET status = %s, reason = %s, lease_until = NULL, started_at = %s, finished_at = %s,
               run_ms = %s, cpu_user_ms = %s, cpu_system_ms = %s, memory_peak = %s
        WHERE id = %s
        """,
        [
            (
                o.status.value, o.reason.value, began, ended,
                o.run_ms, o.cpu_user_ms, o.cpu_system_ms, o.memory_peak, o.job_id,
            )
            for o, began, ended in zip(outcomes, started, finished, strict=True)
        ],
    )  # fmt: skip
    execute_many(
        'INSERT INTO jobs_jobresult (job_id, is_exception, size, "inline", "key", error_text) '
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [
            (
                o.job_id, o.is_exception, len(o.result),
                None if o.job_id in keys else bytes(o.result), keys.get(o.job_id, ""), o.error_text,
            )
            for o in outcomes
        ],
    )  # fmt: skip
    execute_many(
        "INSERT INTO jobs_usagerecord (account_id, jid, batch_id, attempt, core_type_id, cores, price_micros, "
        "started_at, run_ms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                work.account_id, o.jid, work.batch_id, o.attempt, work.core_type, work.cores, price_micros,
                began, o.run_ms,
            )
            for o, began in zip(outcomes, started, strict=True)
        ],
    )  # fmt: skip
    logs = [{"job_id": o.job_id, **asdict(log)} for o in outcomes for log in o.logs]
    if logs:
        insert_rows(JobLog, logs)
    for outcome in outcomes:
        if outcome.samples:
            save_samples(job_id=outcome.job_id, samples=outcome.samples)


def save_samples(*, job_id: int, samples: Sequence[Sequence[float]]) -> None:
    """Keep what the worker has seen of a job so far, in the place of what it had seen before."""
    JobMetrics.objects.update_or_create(job_id=job_id, defaults={"samples": [list(sample) for sample in samples]})


def _write_story(work: Work, outcomes: Sequence[Outcome], worker: str) -> None:
    alike: dict[tuple[Status, Reason, int], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        alike[outcome.status, outcome.reason, outcome.attempt].append(outcome)
    for (status, reason, attempt), group in alike.items():
        record_event(
            work.batch_id, (o.jid for o in group), name=f"job.{status}", status=status, reason=reason,
            attempt=attempt, worker=worker, at=max(o.finished_at for o in group),
        )  # fmt: skip


def _count(work: Work, outcomes: Sequence[Outcome], price_micros: int) -> None:
    if not outcomes:
        return
    run_ms = sum(o.run_ms for o in outcomes)
    count_moves(
        work.batch_id,
        Counter((Status.PROCESSING, o.status) for o in outcomes),
        run_ms=run_ms,
        charge=charge_of(run_ms=run_ms, cores=work.cores, price_micros=price_micros),
        memory_peak=max(o.memory_peak for o in outcomes),
    )
