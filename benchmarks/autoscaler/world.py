"""A cluster with a simulated clock: machines that take time to start and are paid by the increment, and a queue."""

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.autoscaler.traces import Submit

READY, DONE = 0, 1
INTERVAL = 60.0  # seconds between two decisions


@dataclass(kw_only=True)
class Provider:
    """What a machine is, how long it takes to start, and in what its time is paid."""

    slots: int = 4
    boot_seconds: float = 240.0
    increment: float = 3600.0
    dollars_per_core_hour: float = 0.05


@dataclass(eq=False, kw_only=True)
class Host:
    name: str
    slots: int
    launched_at: float
    ready_at: float
    is_ready: bool = False
    is_draining: bool = False
    busy: int = 0
    idle_since: float = 0.0
    gone_at: float = math.inf


@dataclass(eq=False)
class Group:
    """Jobs of one submit that are still queued."""

    submit: Submit
    left: int


@dataclass(eq=False)
class Running:
    """A job on a core."""

    submit: Submit
    host: Host
    began_at: float


class Act(Protocol):
    launch: int
    drain: Sequence[str]


class Policy(Protocol):
    """Decides how many machines there are."""

    name: str

    def decide(self, world: "World") -> Act: ...

    def finished(self, running: Running, now: float) -> None: ...


@dataclass(kw_only=True)
class Result:
    """What a policy came to."""

    name: str
    cost: float
    waits: list[float]
    paid_core_seconds: float
    busy_core_seconds: float
    most_cores: int
    history: list[tuple[float, int, int, int]] = field(default_factory=list)  # time, cores, busy, queued

    @property
    def idle_share(self) -> float:
        return 1 - self.busy_core_seconds / self.paid_core_seconds if self.paid_core_seconds else 0.0


class World:
    """Runs a trace under a policy. A free core takes the oldest job; of free cores the one that has waited longest."""

    def __init__(self, submits: Sequence[Submit], policy: Policy, provider: Provider) -> None:
        self.provider = provider
        self.now = 0.0
        self.hosts: dict[str, Host] = {}
        self.queue: deque[Group] = deque()
        self.queued: Counter[tuple[str, str]] = Counter()  # by account and function
        self.running: dict[Submit, list[float]] = defaultdict(list)  # when its jobs on cores began
        self.busy = 0  # cores
        self._submits, self._policy = submits, policy
        self._free: deque[Host] = deque()
        self._events: list[tuple[float, int, int, object]] = []
        self._number = 0
        self._waits: list[float] = []
        self._gone: list[Host] = []
        self._busy_seconds = 0.0
        self._history: list[tuple[float, int, int, int]] = []

    def run(self) -> Result:
        """From the first submit until the last job has ended."""
        place, total = 0, len(self._submits)
        tick = 0.0
        while place < total or self.queue or self.running:
            upcoming = self._submits[place].at if place < total else math.inf
            event = self._events[0][0] if self._events else math.inf
            self.now = min(upcoming, event, tick)
            while place < total and self._submits[place].at <= self.now:
                self._submit(self._submits[place])
                place += 1
            while self._events and self._events[0][0] <= self.now:
                self._happen()
            if self.now >= tick:
                self._decide()
                tick = self.now + INTERVAL
        return self._result()

    # -- what happens --------------------------------------------------------------------------

    def _later(self, at: float, kind: int, what: object) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, kind, what))

    def _submit(self, submit: Submit) -> None:
        self.queue.append(Group(submit, submit.count))
        self.queued[submit.account, submit.function] += submit.count
        self._fill()

    def _happen(self) -> None:
        _, _, kind, what = heapq.heappop(self._events)
        if kind == READY:
            assert isinstance(what, Host)
            what.is_ready, what.idle_since = True, self.now
            self._free.extend([what] * what.slots)
        else:
            assert isinstance(what, Running)
            self._finish(what)
        self._fill()

    def _finish(self, running: Running) -> None:
        began, host = self.running[running.submit], running.host
        began.remove(running.began_at)
        if not began:
            del self.running[running.submit]
        self.busy -= 1
        host.busy -= 1
        self._busy_seconds += self.now - running.began_at
        if not host.busy:
            host.idle_since = self.now
        self._free.append(host)
        self._policy.finished(running, self.now)

    def _fill(self) -> None:
        while self.queue and self._free:
            host = self._free.popleft()
            if host.is_draining:
                continue
            group = self.queue[0]
            group.left -= 1
            submit = group.submit
            self.queued[submit.account, submit.function] -= 1
            if not group.left:
                self.queue.popleft()
            host.busy += 1
            running = Running(submit, host, self.now)
            self.running[submit].append(self.now)
            self.busy += 1
            self._waits.append(self.now - submit.at)
            self._later(self.now + submit.seconds, DONE, running)

    def _decide(self) -> None:
        act = self._policy.decide(self)
        for name in act.drain:
            host = self.hosts.pop(name)
            assert not host.busy, "running work was to be taken its machine"
            host.is_draining, host.gone_at = True, self.now
            self._gone.append(host)
        for _ in range(act.launch):
            self._launch()
        cores = sum(host.slots for host in self.hosts.values())
        self._history.append((self.now, cores, self.busy, sum(group.left for group in self.queue)))

    def _launch(self) -> None:
        self._number += 1
        host = Host(
            name=f"host-{self._number}",
            slots=self.provider.slots,
            launched_at=self.now,
            ready_at=self.now + self.provider.boot_seconds,
        )
        self.hosts[host.name] = host
        self._later(host.ready_at, READY, host)

    # -- what it comes to ----------------------------------------------------------------------

    def every_host(self) -> Iterator[Host]:
        yield from self._gone
        yield from self.hosts.values()

    def _result(self) -> Result:
        increment = self.provider.increment
        paid = 0.0
        for host in self.every_host():
            used = min(host.gone_at, self.now) - host.launched_at
            paid += max(1, math.ceil(used / increment - 1e-9)) * increment * host.slots
        return Result(
            name=self._policy.name,
            cost=paid / 3600 * self.provider.dollars_per_core_hour,
            waits=self._waits,
            paid_core_seconds=paid,
            busy_core_seconds=self._busy_seconds,
            most_cores=max((cores for _, cores, _, _ in self._history), default=0),
            history=self._history,
        )
