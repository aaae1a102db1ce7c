"""The worker of one core slot: an RQ worker that turns tickets into shifts."""

import logging
import os
import signal
import time
from types import FrameType
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job as Ticket
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker, WorkerStatus

from common.exceptions import Refused
from jobs.services import machines
from jobs.services.bus import worker_key
from jobs.services.claim import renew_leases
from jobs.services.dispatch import WorkKind, queue_name
from worker.inputs import Inputs
from worker.leaving import Leaving
from worker.sandbox import SandboxFailed
from worker.serving import Serving
from worker.shift import Shift
from worker.slots import Slots
from worker.warm import WarmSandbox

logger = logging.getLogger(__name__)

PRESENCE_SECONDS = 15  # after which a silent worker counts as gone
IDLE_WAIT_SECONDS = 1  # of one blocking look at the queues; a dedication is followed within this time
PROBLEM_WAIT_SECONDS = 3.0


class SlotWorker(SimpleWorker):
    """Takes tickets from the queues in turn and serves each in this process, without RQ's book-keeping per job.

    The jobs themselves run in a sandbox; nothing of theirs is loaded here.
    """

    def __init__(self, *, slot: int, core_types: list[str], slots: Slots, store: "redis.Redis") -> None:
        host = settings.HOST_NAME
        # RQ refuses a name that a killed worker has left behind, so its name has the process in it.
        super().__init__(
            [_queue(queue_name(code), store) for code in core_types],
            name=f"{host}-{slot}-{os.getpid()}",
            connection=store,
            serializer=JSONSerializer,
            worker_ttl=60,
            log_job_description=False,
        )
        self.slot = slot
        self.lease_name = f"{host}:{settings.PORT}:{slot}"
        self._core_types = core_types
        self._slots = slots
        self._serving = Serving(self.lease_name, core_types=core_types, slots=slots)
        self._warm = WarmSandbox(slot=slot)
        self._inputs = Inputs()
        self.bears_name = True
        self._leaving = Leaving()
        self._drained = ""
        self._listening = False
        self._problem = ""
        self._beat_at = 0.0
        self._leases_at = 0.0
        self._presence: dict[str, Any] = {}

    # -- readiness -----------------------------------------------------------------------------

    def describe(self, **presence: Any) -> None:
        """What this worker tells about itself beside its pid and slot."""
        self._presence = presence

    def _prepare(self) -> None:
        """Have a sandbox ready, or wait and try again: a worker without one takes no tickets."""
        while not self._stop_requested:
            try:
                self._warm.prepare(self._serving.group)
            except (SandboxFailed, Refused) as problem:
                if str(problem) != self._problem:
                    logger.error("cannot run jobs: %s", problem)
                self._problem = str(problem)
                self._show_presence()
                self._pause(PROBLEM_WAIT_SECONDS)
            else:
                self._problem = ""
                self._show_presence()
                return
        raise StopRequested

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stop_requested:
            time.sleep(0.1)

    def _show_presence(self) -> None:
        key = worker_key(self.lease_name)
        group = self._serving.group
        is_ready = group is not None and self._warm.group == group and self._serving.has_core()
        fields: Any = {
            "pid": os.getpid(),
            "host": settings.HOST_NAME,
            "slot": self.slot,
            "at": int(time.time()),
            "problem": self._problem,
            "core_types": ",".join(self._core_types),
            "busy": int(self._state == WorkerStatus.BUSY),
            "dedicated": str(group or ""),
            "warm": str(group) if is_ready else "",
            "drained": self._drained,
            **self._presence,
        }
        try:
            pipeline = self.connection.pipeline(transaction=False)
            pipeline.hset(key, mapping=fields)
            pipeline.expire(key, PRESENCE_SECONDS)
            machines.claim_own_name()
            pipeline.execute()
        except machines.NameTaken as taken:
            self._leave_name_to_other(taken)
        except redis.RedisError as error:
            logger.warning("cannot show presence: %s", error)

    def _leave_name_to_other(self, taken: machines.NameTaken) -> None:
        """As after Redis was emptied: whoever reported first bears the name, and this worker ends."""
        logger.error("%s", taken)
        self.bears_name = False
        self._stop_requested = True
        self._leaving.stop()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's heartbeat; a Redis that was emptied learns of this worker anew."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]

    # -- the loop ------------------------------------------------------------------------------

    @property
    def dequeue_timeout(self) -> int:
        return IDLE_WAIT_SECONDS

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Ticket, Queue] | None:
        self.set_state(WorkerStatus.IDLE)
        while True:
            self._check_stop()
            if self._stays_drained():
                continue
            self._serving.follow()
            self._prepare()
            try:
                self.heartbeat()
                found = self._listen(timeout)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                logger.warning("waiting for Redis: %s", error)
                self._pause(1.0)
                continue
            except DequeueTimeout:
                continue
            if found is not None:
                if self._serving.group is None:
                    self.reorder_queues(reference_queue=found[1])
                return found

    def _stays_drained(self) -> bool:
        """Whether this host is to take nothing new, said after a second in which this worker ran nothing."""
        self._drained = self._leaving.order if self._leaving.is_draining() else ""
        if not self._drained:
            return False
        self._show_presence()
        self._pause(1.0)
        return True

    def _listen(self, timeout: int | None) -> tuple[Ticket, Queue] | None:
        """The next ticket. Only here may a signal to stop break in: nothing is held or half done."""
        self._listening = True
        try:
            self._check_stop()
            return Queue.dequeue_any(
                self._queues_in_turn(), timeout, connection=self.connection, serializer=self.serializer
            )
        finally:
            self._listening = False

    def _queues_in_turn(self) -> list[Queue]:
        if self._serving.group is None:
            queues = list(self._ordered_queues)
        else:
            queues = [_queue(name, self.connection) for name in self._serving.queue_names]
        # From a single queue RQ would move tickets to a list of its own, where nobody takes them away.
        return queues if len(queues) > 1 else queues * 2

    def execute_job(self, job: Ticket, queue: Queue) -> None:
        """Serve a ticket, and those that come up in the shift it opens."""
        self._state = WorkerStatus.BUSY
        self._beat_at = 0.0  # a run of over a second is shown at once
        ticket: str | None = job.id
        while ticket and not self._takes_nothing():
            self._forget(ticket)
            ticket = self._serve(WorkKind.parse(ticket))
        if ticket:
            self.connection.rpush(f"rq:queue:{self._serving.queue_of(ticket)}", ticket)

    def _takes_nothing(self) -> bool:
        """Whether this worker is to begin nothing more of what it is at."""
        return bool(self._stop_requested) or self._leaving.is_draining() or self._serving.is_over()

    def _serve(self, kind: WorkKind) -> str | None:
        shift = Shift(
            kind,
            worker=self.lease_name,
            slots=self._slots,
            warm=self._warm,
            inputs=self._inputs,
            queues=self._serving.queue_names,
            reserved=self._serving.group is not None,
            should_stop=self._leaving.must_stop,
            should_leave=self._takes_nothing,
            on_tick=self._tick,
        )
        try:
            return shift.run()
        except SandboxFailed as problem:
            logger.error("no sandbox for %s: %s", kind, problem)
            self._warm.drop()
        except DatabaseError as error:
            logger.error("no work on %s for now: %s", kind, error)
            connection.close_if_unusable_or_obsolete()
            self._pause(1.0)
        return None

    def _forget(self, ticket: str) -> None:
        """RQ keeps nothing of a ticket that is taken: it may be lost, and the clock makes another."""
        self.connection.delete(f"rq:job:{ticket}")

    def _tick(self) -> None:
        """Every second or so while a chunk runs: keep the leases, and be seen."""
        now = time.monotonic()
        if now >= self._leases_at:
            self._leases_at = now + settings.LEASE_SECONDS / 4
            self._renew_leases()
        if now >= self._beat_at:
            self._beat_at = now + PRESENCE_SECONDS / 3
            self._show_presence()
            try:
                self.heartbeat()
            except redis.RedisError as error:
                logger.warning("no heartbeat: %s", error)

    def _renew_leases(self) -> None:
        try:
            renew_leases(worker=self.lease_name)
        except DatabaseError as error:
            # The lease outlasts a few failures; if the database is away for longer, nobody else can take the job.
            logger.warning("the leases are not renewed: %s", error)
            connection.close_if_unusable_or_obsolete()

    # -- the end -------------------------------------------------------------------------------

    def _check_stop(self) -> None:
        if self._stop_requested:
            raise StopRequested

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Leave a word for the loops; while only waiting, leave at once."""
        self._stop_requested = True
        self._leaving.stop()
        if self._listening:
            raise StopRequested

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)

    def subscribe(self) -> None:
        """RQ's commands (stop this job, shut down) come by other ways here; its listener costs a thread."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def close(self) -> None:
        """Destroy the sandbox and leave no trace of presence."""
        self._warm.drop()
        if not self.bears_name:
            return
        try:
            self.connection.delete(worker_key(self.lease_name))
        except redis.RedisError as error:
            logger.warning("presence expires by itself: %s", error)


def _queue(name: str, store: "redis.Redis") -> Queue:
    return Queue(name, connection=store, serializer=JSONSerializer)
