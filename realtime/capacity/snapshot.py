"""What the autoscaler sees, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MachineState = Literal["booting", "ready", "draining"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """`count` jobs of an account that are alike: on so many cores each, and what each of them still takes."""

    account: int
    core_type: str
    cores: int
    count: int
    seconds: float
    is_running: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A machine that is paid for, or `is_own`, which costs nothing and is never given back."""

    name: str
    core_types: tuple[str, ...]
    slots: int
    state: MachineState
    busy: int = 0  # slots
    paid_for: float = 0.0  # seconds left of the billing increment
    idle_for: float = 0.0  # seconds
    boot_left: float = 0.0  # seconds until it should be ready
    is_own: bool = False
    is_reserved: bool = False  # some of its cores stand ready for an account


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """Cores that an account has reserved, or will have when a machine started now is ready."""

    account: int
    core_type: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How machines are paid for and started, and the limits."""

    increment: float = 3600.0  # seconds; a machine is paid for in these
    boot_seconds: float = 240.0
    slice_seconds: float = 300.0  # of the expected load
    interval: float = 10.0  # seconds between two decisions
    max_machines: int = 0

    @property
    def worthwhile(self) -> float:
        """Seconds for which a core should be busy to be rented: an increment, and at least as long as it boots.

        Both are paid. By a short increment alone, machines would be started for less work than they take to start, or
        for what the cores there are finish meanwhile.
        """
        return max(self.increment, self.boot_seconds)

    @property
    def drain_window(self) -> float:
        """How near its end an increment must be for its machine to be given back: no decision may come too late."""
        return max(2 * self.interval, self.increment / 12)

    @property
    def least_idle(self) -> float:
        """To start a machine anew costs as much time as this; so long it is kept for what may come.

        Where more than that is paid for anyway, this asks for nothing.
        """
        return min(self.boot_seconds, self.drain_window)

    def may_drain(self, machine: Machine) -> bool:
        """Whether a machine may be given back now, if it is one too many. Never one on which something runs."""
        is_idle = machine.state == "ready" and not machine.busy and machine.idle_for >= self.least_idle
        may_go = not machine.is_own and not machine.is_reserved
        return is_idle and may_go and machine.paid_for <= self.drain_window


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that bears on the decision. `shapes` has the slots of a machine that can be rented for a core type."""

    core_types: Sequence[str]
    queued: Sequence[Work]
    running: Sequence[Work]
    # By core type: cores that load to come keeps busy, on average in each slice of time from now on.
    expected: Mapping[str, Sequence[float]]
    reserved: Sequence[Floor]
    machines: Sequence[Machine]
    shapes: Mapping[str, int]
    rules: Rules

    def most_cores(self, core_type: str) -> int:
        """Cores of the largest machine that there is or could be rented for a core type; 0 when there is none."""
        there = (machine.slots for machine in self.machines if core_type in machine.core_types)
        return max((self.shapes.get(core_type, 0), *there))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do for a core type, in cores unless said otherwise, and why."""

    core_type: str
    wanted: int
    keep: int
    ready: int
    booting: int
    reserved: int
    queued: int  # jobs
    work: float  # core-seconds
    expected: float
    launch: int  # machines
    drain: tuple[str, ...]  # names of machines
    reasons: tuple[str, ...]

    @property
    def is_act(self) -> bool:
        return bool(self.launch or self.drain)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A plan for each core type, in the order of their names."""

    plans: tuple[Plan, ...]

    def plan(self, core_type: str) -> Plan:
        return next(plan for plan in self.plans if plan.core_type == core_type)
