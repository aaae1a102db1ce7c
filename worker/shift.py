"""A shift: one worker on the work of one account and core type, until others need it or there is no more.

`queues` are those whose tickets this worker takes; `reserved` says that they are only its group's.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

from jobs.services import bus, recover
from jobs.services.claim import Claim, claim_chunk
from jobs.services.dispatch import WorkKind, announce_work, forget_ticket
from jobs.services.work import Work
from worker.chunk import ChunkRun
from worker.inputs import Inputs
from worker.sandbox import SandboxFailed, SandboxLost
from worker.slots import Slots
from worker.warm import WarmSandbox

logger = logging.getLogger(__name__)

# How long a worker waits for more of the same work before it listens to everybody again.
WAIT_SECONDS = 0.5
# How long a worker that cannot get its cores leaves the ticket to others before it tries again.
SLOTS_SECONDS = 2.0


class Shift:
    """Serves one kind of work; `run` answers the ticket of another account that came up meanwhile, if any."""

    def __init__(
        self,
        kind: WorkKind,
        *,
        worker: str,
        slots: Slots,
        warm: WarmSandbox,
        inputs: Inputs,
        queues: Sequence[str],
        reserved: bool,
        should_stop: Callable[[], bool],
        should_leave: Callable[[], bool],
        on_tick: Callable[[], None],
    ) -> None:
        self._kind = kind
        self._worker = worker
        self._slots = slots
        self._warm = warm
        self._inputs = inputs
        self._queues = [f"rq:queue:{name}" for name in queues]
        self._reserved = reserved
        self._should_stop = should_stop
        self._should_leave = should_leave
        self._on_tick = on_tick
        self._last_work: Work | None = None

    def run(self) -> str | None:
        """Work until nothing of this kind is left, or somebody else's ticket waits. Answers that ticket's id."""
        forget_ticket(self._kind, reserved=self._reserved)
        with self._slots.take(self._kind.cores, timeout=SLOTS_SECONDS) as enough:
            if not enough:
                self._leave_to_others()
                return None
            while not self._should_leave():
                claim = claim_chunk(self._kind, worker=self._worker, slots=self._slots.number, known=self._last_work)
                if claim is None:
                    ticket, handed_over = self._wait_for_work()
                    if not handed_over:
                        return ticket
                    continue
                if claim.more:
                    announce_work(self._kind)
                self._run_chunk(claim)
                # With nothing more to do here, the wait for work sees the others' tickets by itself.
                if claim.more and self._others_wait():
                    break
        announce_work(self._kind)
        return None

    def _leave_to_others(self) -> None:
        """The cores are not free here: put the ticket back, maybe for another host.

        What needs more cores than there are for it here is left to the clock, which asks again every second.
        """
        if self._kind.cores <= len(self._slots.shared()):
            announce_work(self._kind)

    def _run_chunk(self, claim: Claim) -> None:
        try:
            sandbox = self._warm.for_work(claim.work)
        except SandboxFailed:
            job_ids = [job.pk for job in claim.jobs]
            recover.give_back(batch_id=claim.work.batch_id, worker=self._worker, job_ids=job_ids)
            raise
        run = ChunkRun(
            claim,
            sandbox,
            inputs=self._inputs,
            worker=self._worker,
            should_stop=self._should_stop,
            on_tick=self._on_tick,
        )
        self._last_work = claim.work
        try:
            run.run()
        except SandboxLost as lost:
            logger.warning("a sandbox of batch %d was lost: %s", claim.work.batch_id, lost)
            self._warm.drop()

    def _others_wait(self) -> bool:
        """Whether a ticket for any other kind of work stands in a queue that this worker serves."""
        pipeline = bus.connection().pipeline(transaction=False)
        for queue in self._queues:
            pipeline.lrange(queue, 0, 7)
        ours = f"{self._kind}-".encode()
        return any(not ticket.startswith(ours) for tickets in pipeline.execute() for ticket in tickets)

    def _wait_for_work(self) -> tuple[str | None, bool]:
        """Wait a moment for work to be handed over. Answers (somebody's ticket, whether there is more of ours)."""
        store, kind = bus.connection(), self._kind
        until = time.time() + WAIT_SECONDS
        # Both in one message: each round trip costs as much as the claim that follows.
        pipeline = store.pipeline(transaction=False)
        pipeline.zadd(kind.waiters_key, {self._worker: until * 1000})
        pipeline.blpop([kind.handover_key, *self._queues], timeout=WAIT_SECONDS)
        try:
            popped: Any = pipeline.execute()[1]
        except redis.RedisError as error:
            logger.warning("waiting for work of %s: %s", kind, error)
            return None, False
        source, ticket = map(bus.text, popped) if popped else ("", None)
        if source == kind.handover_key:
            return None, True
        # Whoever handed over between the end of the wait and here has taken our name from the list.
        handed_over = not store.zrem(kind.waiters_key, self._worker) and bool(store.lpop(kind.handover_key))
        if ticket and handed_over:
            store.lpush(source, ticket)
            return None, True
        return ticket, handed_over
