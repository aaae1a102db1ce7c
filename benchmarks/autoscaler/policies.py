"""The autoscaler of the product in a simulated world, and what it is measured against."""

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.autoscaler.traces import Submit
from benchmarks.autoscaler.world import INTERVAL, Host, Provider, Result, Running, World
from realtime.capacity.autoscaler import decide
from realtime.capacity.estimate import time_left
from realtime.capacity.profile import habitual_load
from realtime.capacity.snapshot import Machine, Rules, Snapshot, Work
from realtime.capacity.stats import Stats

HOUR = 3600.0
DAYS, WEEKS = 14, 8
SLICES = 13
# Of what nothing is known yet.
UNKNOWN = Stats(1, 60_000.0, 0.0)


@dataclass
class Change:
    launch: int = 0
    drain: Sequence[str] = ()


class Ours:
    """The product's own functions: run times and habits are learned from what has ended, as in life."""

    def __init__(self, provider: Provider, *, max_machines: int, forecast: bool = True) -> None:
        self.name = "PiCloud" if forecast else "PiCloud, backlog alone"
        self._forecast = forecast
        self._rules = Rules(
            increment=provider.increment,
            boot_seconds=provider.boot_seconds,
            interval=INTERVAL,
            max_machines=max_machines,
        )
        self._known: dict[tuple[str, ...], Stats] = defaultdict(Stats)
        self._loads: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        self._expected: tuple[int, tuple[float, ...]] = (-1, ())

    def decide(self, world: World) -> Change:
        snapshot = Snapshot(
            core_types=("c1",),
            queued=[self._work(key, count) for key, count in world.queued.items() if count],
            running=[self._running(submit, began, world.now) for submit, began in world.running.items()],
            expected={"c1": self._load_to_come(world.now)} if self._forecast else {},
            reserved=(),
            machines=[self._machine(host, world) for host in world.hosts.values()],
            shapes={"c1": world.provider.slots},
            rules=self._rules,
        )
        plan = decide(snapshot).plan("c1")
        return Change(plan.launch, plan.drain)

    def finished(self, running: Running, now: float) -> None:
        submit, took = running.submit, now - running.began_at
        for key in ((submit.account, submit.function), (submit.account,), ()):
            self._known[key] = self._known[key].with_(Stats(1, took * 1000, 0.0))
        hour = int(running.began_at // HOUR)
        # What goes on in the hours after is known then, because it runs.
        self._loads[submit.account][hour] += min(took, (hour + 1) * HOUR - running.began_at)

    def _stats(self, account: str, function: str) -> Stats:
        for key in ((account, function), (account,), ()):
            if self._known[key].n:
                return self._known[key]
        return UNKNOWN

    def _work(self, key: tuple[str, str], count: int) -> Work:
        return Work(account=0, core_type="c1", cores=1, count=count, seconds=self._stats(*key).mean / 1000)

    def _running(self, submit: Submit, began: list[float], now: float) -> Work:
        elapsed = now - sum(began) / len(began)
        left = time_left(self._stats(submit.account, submit.function), elapsed=elapsed)
        return Work(account=0, core_type="c1", cores=1, count=len(began), seconds=left, is_running=True)

    def _machine(self, host: Host, world: World) -> Machine:
        age = world.now - host.launched_at
        return Machine(
            name=host.name,
            core_types=("c1",),
            slots=host.slots,
            state="ready" if host.is_ready else "booting",
            busy=host.busy,
            paid_for=self._rules.increment - age % self._rules.increment,
            idle_for=0.0 if host.busy else world.now - host.idle_since,
            boot_left=max(0.0, host.ready_at - world.now),
        )

    def _load_to_come(self, now: float) -> tuple[float, ...]:
        """Busy cores in each slice of the next hour and a little, from this hour's habit and the next one's."""
        hour = int(now // HOUR)
        if self._expected[0] != hour:
            self._expected = (hour, (self._habit(hour), self._habit(hour + 1)))
        this, following = self._expected[1]
        slices = (now % HOUR + self._rules.slice_seconds * (place + 0.5) for place in range(SLICES))
        return tuple(this if at < HOUR else following for at in slices)

    def _habit(self, hour: int) -> float:
        return sum(self._habit_of(loads, hour) for loads in self._loads.values()) / HOUR

    @staticmethod
    def _habit_of(loads: dict[int, float], hour: int) -> float:
        first = min(loads)
        weeks = [loads.get(hour - 168 * n, 0.0) for n in range(1, WEEKS + 1) if hour - 168 * n >= first]
        days = [loads.get(hour - 24 * n, 0.0) for n in range(1, DAYS + 1) if hour - 24 * n >= first]
        return habitual_load(weeks, days)


class Fixed:
    """So many cores from the beginning to the end."""

    def __init__(self, cores: int, provider: Provider) -> None:
        self._hosts = -(-cores // provider.slots)
        self.name = f"{self._hosts * provider.slots} cores always"

    def decide(self, world: World) -> Change:
        return Change(launch=self._hosts - len(world.hosts))

    def finished(self, _running: Running, _now: float) -> None:
        """Learns nothing."""


class QueueLength:
    """A core for each job that is queued or runs, as rules by queue length do; what is idle for a while goes."""

    name = "by queue length"
    cooldown = 300.0  # seconds

    def __init__(self, *, max_machines: int) -> None:
        self._max = max_machines

    def decide(self, world: World) -> Change:
        jobs = world.busy + sum(world.queued.values())
        wanted = min(self._max, -(-jobs // world.provider.slots))
        if wanted >= len(world.hosts):
            return Change(launch=wanted - len(world.hosts))
        idle = [
            host.name
            for host in world.hosts.values()
            if host.is_ready and not host.busy and world.now - host.idle_since >= self.cooldown
        ]
        return Change(drain=idle[: len(world.hosts) - wanted])

    def finished(self, _running: Running, _now: float) -> None:
        """Learns nothing."""


def clairvoyant(submits: Sequence[Submit], provider: Provider) -> Result:
    """The bound of who knows everything beforehand: a core stands ready for each job at its moment, taken from the
    time that is paid anyway where there is some, and given back when its increment ends idle."""
    free: list[tuple[float, float, float]] = []  # until when it is paid, free since, begun at
    ends: list[tuple[float, float]] = []  # when a busy core is free, and when it was begun to be paid
    paid = busy = 0.0
    most = 0
    increment = provider.increment
    for submit in submits:
        while ends and ends[0][0] <= submit.at:
            end, began = heapq.heappop(ends)
            heapq.heappush(free, (_paid_until(began, end, increment), end, began))
        while free and free[0][0] <= submit.at:
            until, _, began = heapq.heappop(free)
            paid += until - began
        for _ in range(submit.count):
            began = heapq.heappop(free)[2] if free else submit.at
            heapq.heappush(ends, (submit.at + submit.seconds, began))
        busy += submit.seconds * submit.count
        most = max(most, len(ends) + len(free))
    paid += sum(until - began for until, _, began in free)
    paid += sum(_paid_until(began, end, increment) - began for end, began in ends)
    return Result(
        name="clairvoyant bound",
        cost=paid / 3600 * provider.dollars_per_core_hour,
        waits=[0.0],
        paid_core_seconds=paid,
        busy_core_seconds=busy,
        most_cores=most,
    )


def _paid_until(began: float, end: float, increment: float) -> float:
    return began + max(1, math.ceil((end - began) / increment - 1e-9)) * increment
