"""Handing runnable jobs to a worker: a chunk of one batch at a time, under a lease."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.sql import db_time, fetch_all, fetch_one, for_update
from jobs.models import Job
from jobs.services import cost_limit
from jobs.services.dispatch import WorkKind
from jobs.services.events import count_moves, record_event
from jobs.services.work import Work, load_work, price_now
from jobs.states import Reason, Status

# A chunk should take about this long: short enough that cores share a map evenly and that other
# accounts get their turn, long enough that a claim and a finish (some 3 ms) hardly count.
CHUNK_SECONDS = 0.25
MAX_CHUNK = 500
# A chunk of less would be over sooner than it is claimed and brought home.
LEAST_CHUNK_SECONDS = 0.03
LEAST_MEAN_SECONDS = 0.0001  # of a job: what a no-op costs in all


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedJob:
    pk: int
    jid: int
    index: int
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Jobs of one batch that this worker, and no other, may run until the lease ends."""

    work: Work
    jobs: list[ClaimedJob]
    price_micros: int
    more: bool  # runnable work of this kind is left
    may_charge: int | None = None  # what the batch may still cost, if it has a limit


class _Head(NamedTuple):
    """The batch whose turn it is, and how it has gone so far."""

    batch_id: int
    priority: int
    first_jid: int
    last_jid: int
    queued: int
    finished: int
    run_ms: int
    charge: int
    max_charge: int | None

    @property
    def may_charge(self) -> int | None:
        """What it may still cost, None without a limit."""
        return None if self.max_charge is None else self.max_charge - self.charge


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def chunk_size(*, queued: int, finished: int, run_ms: int, slots: int) -> int:
    """How many jobs of a batch to claim at once.

    One while nothing is known of its run time, not even from an earlier batch. Then guided self-scheduling
    (Polychronopoulos and Kuck, 1987): a share of what is left, so that the last chunks are small and cores end
    together.
    """
    if not finished:
        return 1
    mean_seconds = max(run_ms / finished / 1000, LEAST_MEAN_SECONDS)
    by_time = int(CHUNK_SECONDS / mean_seconds)
    by_share = math.ceil(queued / (2 * max(slots, 1)))
    worth_it = int(LEAST_CHUNK_SECONDS / mean_seconds)
    return max(1, min(by_time, max(by_share, worth_it), MAX_CHUNK))


def claim_chunk(kind: WorkKind, *, worker: str, slots: int, known: Work | None = None) -> Claim | None:
    """Claim the next jobs of a kind: lowest priority number first, then lowest jid. None when nothing is queued.

    `known` is the work of the last claim, which is not read again when its batch goes on.
    """
    while True:
        heads = _heads(kind)
        if not heads:
            return None
        head = heads[0]
        if head.may_charge is not None and head.may_charge <= 0:
            # Jobs of it came back, or were sent, after it had cost what it may.
            if cost_limit.end_batch(head.batch_id).killed:
                continue
            # Somebody else is ending them: rather no work for now than to ask without a pause.
            return None
        finished, run_ms = _experience(kind, head)
        limit = chunk_size(queued=head.queued, finished=finished, run_ms=run_ms, slots=slots)
        price = price_now(kind.core_type)
        with transaction.atomic():
            jobs = _take(kind, head, limit=limit, worker=worker, price_micros=price)
            if jobs:
                count_moves(head.batch_id, {(Status.QUEUED, Status.PROCESSING): len(jobs)})
                record_event(
                    head.batch_id,
                    (job.jid for job in jobs),
                    name="job.started",
                    status=Status.PROCESSING,
                    attempt=jobs[0].attempt,
                    worker=worker,
                )
        if jobs:
            work = known if known is not None and known.batch_id == head.batch_id else load_work(head.batch_id)
            more = len(heads) > 1 or head.queued > len(jobs)
            return Claim(work=work, jobs=jobs, price_micros=price, more=more, may_charge=head.may_charge)
        # Another worker took all of them between the look and the claim: look again.


def _heads(kind: WorkKind) -> list[_Head]:
    """The batches of the next two jobs in the queue: the second one tells whether there is more than the first."""
    rows = fetch_all(
        """
        SELECT batch.id, batch.priority, batch.first_jid, batch.first_jid + batch.size - 1, batch.n_queued,
               batch.n_done + batch.n_error + batch.n_killed, batch.run_ms, batch.charge, batch.max_charge
        FROM jobs_job job JOIN jobs_batch batch ON batch.id = job.batch_id
        WHERE job.status = 'queued' AND job.account_id = %s AND job.core_type_id = %s AND job.cores = %s
        ORDER BY job.priority, job.jid LIMIT 2
        """,
        list(kind),
    )
    return [_Head(*row) for row in rows]


def _experience(kind: WorkKind, head: _Head) -> tuple[int, int]:
    """How many jobs have finished, and in how many ms: of this batch, or of the last one of the same function."""
    if head.finished or head.queued == 1:
        return head.finished, head.run_ms
    before = fetch_one(
        """
        SELECT n_done + n_error + n_killed, run_ms FROM jobs_batch
        WHERE account_id = %s AND function_id = (SELECT function_id FROM jobs_batch WHERE id = %s) AND id < %s
              AND core_type_id = %s AND n_done > 0
        ORDER BY id DESC LIMIT 1
        """,
        [kind.account_id, head.batch_id, head.batch_id, kind.core_type],
    )
    return (before[0], before[1]) if before else (0, 0)


def _take(kind: WorkKind, head: _Head, *, limit: int, worker: str, price_micros: int) -> list[ClaimedJob]:
    """The compare-and-set of a claim. `status = 'queued'` is literal, or SQLite would not use the partial index.

    MATERIALIZED, because PostgreSQL may otherwise run the choice again for each row, and claim too many.
    """
    rows = fetch_all(
        f"""
        WITH chosen AS MATERIALIZED (
            SELECT id FROM jobs_job
            WHERE status = 'queued' AND account_id = %s AND core_type_id = %s AND cores = %s AND priority = %s
                  AND jid BETWEEN %s AND %s
            ORDER BY jid LIMIT %s{for_update(skip_locked=True)}
        )
        UPDATE jobs_job SET status = 'processing', reason = '', attempt = attempt + 1, worker = %s, lease_until = %s,
               started_at = %s, price_micros = %s
        WHERE id IN (SELECT id FROM chosen) AND status = 'queued'
        RETURNING id, jid, "index", attempt
        """,
        [
            kind.account_id, kind.core_type, kind.cores, head.priority,
            head.first_jid, head.last_jid, limit,
            worker, db_time(lease_end()), db_time(timezone.now()), price_micros,
        ],
    )  # fmt: skip
    return [
        ClaimedJob(pk=pk, jid=jid, index=index, attempt=attempt)
        for pk, jid, index, attempt in sorted(rows, key=lambda row: row[1])
    ]


def renew_leases(*, worker: str) -> None:
    """Keep what this worker is running from being taken back."""
    Job.objects.filter(status=Status.PROCESSING, worker=worker).update(lease_until=lease_end())


def jobs_to_stop(*, worker: str, job_ids: list[int]) -> dict[int, Reason]:
    """Which of these jobs the worker should stop, and why: somebody asked for it, or they are not its own any more."""
    ours = Job.objects.filter(pk__in=job_ids, status=Status.PROCESSING, worker=worker)
    asked = {pk: (at, reason) for pk, at, reason in ours.values_list("pk", "kill_requested_at", "reason")}
    # What is no longer its own will not be applied, whatever it says.
    stop = {pk: Reason.USER for pk in job_ids if pk not in asked}
    return stop | {pk: Reason(reason) or Reason.USER for pk, (at, reason) in asked.items() if at is not None}
