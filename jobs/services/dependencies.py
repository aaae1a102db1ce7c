"""Jobs that wait for other jobs: released when those are done, stalled when they are not."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils import timezone

from common.ranges import ranges_of
from common.sql import among, fetch_all
from jobs.models import Batch, Job
from jobs.services import bus
from jobs.services.dispatch import WorkKind, announce_work
from jobs.services.events import count_moves, record_event
from jobs.services.start import QUEUED, STALLED, WAITING, Start, start_of
from jobs.states import FAILED, UNFINISHED, Reason, Status


@dataclass(kw_only=True)
class Settled:
    """What moved on because other jobs finished: to be told when the transaction is over."""

    batches: list[Batch] = field(default_factory=list)
    kinds: set[WorkKind] = field(default_factory=set)
    stalled: list[int] = field(default_factory=list)  # jids

    def tell(self) -> None:
        """Wake those who watch these jobs, and the workers that can run them."""
        if self.batches:
            bus.publish_change(
                account_id=self.batches[0].account_id,  # of one account, as all jobs that depend on each other
                batch_ids=[batch.pk for batch in self.batches],
                jids=ranges_of(self.stalled),
            )
        for kind in sorted(self.kinds):
            announce_work(kind)


def start_of_new_jobs(batch: Batch) -> Start:
    """Where the jobs of a batch start, from what its dependencies are now."""
    states = set(batch.dependencies.values_list("on_job__status", flat=True).distinct())
    if not batch.ignore_dependency_errors and states & FAILED:
        return STALLED
    return WAITING if states & UNFINISHED else QUEUED


def settle_dependants(job_ids: Iterable[int]) -> Settled:
    """Move on every job that waited for these finished ones, and those that waited for them in turn.

    Runs in the caller's transaction; the answer is told after it. Works through a
    list, not by recursion: a chain of dependencies may be a hundred thousand long.
    """
    settled = Settled()
    finished = deque([list(job_ids)])
    while finished:
        for batch in _waiting_batches(finished.popleft()):
            after = start_of_new_jobs(batch)
            if after == WAITING:
                continue
            if after == QUEUED:
                after = start_of(batch)
            moved = _move_waiting(batch, after)
            if not moved:
                continue
            settled.batches.append(batch)
            if after.status == Status.QUEUED:
                settled.kinds.add(WorkKind(batch.account_id, batch.core_type_id, batch.cores))
            elif after.status == Status.STALLED:
                settled.stalled += [jid for _, jid in moved]
                finished.append([pk for pk, _ in moved])
    return settled


def _waiting_batches(job_ids: list[int]) -> list[Batch]:
    these, parameter = among(job_ids)
    rows = fetch_all(f"SELECT DISTINCT batch_id FROM jobs_dependency WHERE on_job_id {these}", [parameter])
    batch_ids = {batch_id for (batch_id,) in rows}
    if not batch_ids:
        return []
    return list(Batch.objects.filter(Q(pk__in=batch_ids) & Q(n_waiting__gt=0)).order_by("pk"))


def _move_waiting(batch: Batch, after: Start) -> list[tuple[int, int]]:
    """Move the batch's jobs that wait for others; answers their primary keys and jids."""
    now = timezone.now()
    waiting = Job.objects.filter(batch=batch, status=Status.WAITING, reason=Reason.NONE)
    jobs = list(waiting.values_list("pk", "jid"))
    changed = waiting.update(
        status=after.status,
        reason=after.reason,
        queued_at=now if after.status == Status.QUEUED else None,
        finished_at=now if after.status == Status.STALLED else None,
    )
    if not changed:
        return []
    # Still waiting, but no longer for other jobs: it is held.
    name = "job.held" if after.status == Status.WAITING else f"job.{after.status}"
    record_event(
        batch.pk, (jid for _, jid in jobs), name=name, status=after.status, reason=after.reason, detail=after.detail,
        at=now,
    )  # fmt: skip
    count_moves(batch.pk, {(Status.WAITING, after.status): changed})
    return jobs
