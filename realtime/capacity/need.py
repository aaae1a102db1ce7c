"""What cores of a type are needed for, and what there is of them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from realtime.capacity.snapshot import Machine, Rules, Snapshot, Work

# Sums of fractions that should be whole are not always; a core is not rented for a rounding error.
TINY = 1e-9


def whole(cores: float) -> int:
    return math.ceil(cores - TINY)


@dataclass(frozen=True, kw_only=True)
class Need:
    """Cores of a type: `wanted` is worth renting now, `keep` is worth paying on for, `reserved` is part of both."""

    core_type: str
    queued: int  # jobs
    work: float  # core-seconds that jobs take, queued and running
    worth: float  # cores that they keep busy for an increment
    largest: int  # cores of the queued job that asks for most of those that a machine can have
    too_large: int  # cores of one that asks for more; 0 when there is none
    expected: float  # cores that load to come needs from when a machine started now is ready
    expected_later: float  # cores that it needs on average over the increment to come
    reserved: int

    @property
    def standard(self) -> int:
        """Cores for queued work."""
        return max(whole(self.worth), self.largest)

    @property
    def wanted(self) -> int:
        return max(whole(self.worth + self.expected), self.largest) + self.reserved

    @property
    def keep(self) -> int:
        return max(self.wanted, whole(self.worth + self.expected_later) + self.reserved)


@dataclass(frozen=True, kw_only=True)
class Stock:
    """The machines of a type that take work or will, and its share of those that serve several types."""

    machines: Sequence[Machine]
    ready: int  # cores
    booting: int
    shared: int
    spare: int  # cores of shared machines that no type wants, told to each of theirs
    boot_left: float  # seconds until the first that boots is ready

    @property
    def cores(self) -> int:
        return self.ready + self.booting + self.shared

    @property
    def at_work(self) -> int:
        return self.ready + self.shared

    @property
    def there(self) -> int:
        """Cores that could take a job of this type."""
        return self.at_work + self.spare


def needs_of(snapshot: Snapshot) -> list[Need]:
    """For each core type."""
    jobs: dict[str, list[Work]] = defaultdict(list)
    for work in (*snapshot.queued, *snapshot.running):
        jobs[work.core_type].append(work)
    reserved: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for floor in snapshot.reserved:
        reserved[floor.core_type][floor.account] += floor.cores
    return [_need(core_type, jobs[core_type], reserved[core_type], snapshot) for core_type in snapshot.core_types]


def _need(core_type: str, jobs: Iterable[Work], reserved: Mapping[int, int], snapshot: Snapshot) -> Need:
    rules, most = snapshot.rules, snapshot.most_cores(core_type)
    worth: dict[int, float] = defaultdict(float)
    largest: dict[int, int] = defaultdict(int)
    queued, too_large, total = 0, 0, 0.0
    for one in jobs:
        seconds = one.seconds
        if one.is_running:
            # What is over before a new machine could be ready is no reason to start one.
            seconds = max(0.0, seconds - rules.boot_seconds)
        elif most and one.cores > most:
            too_large = max(too_large, one.cores)
            continue
        else:
            queued += one.count
            largest[one.account] = max(largest[one.account], one.cores)
        total += one.count * one.cores * one.seconds
        # Of a job that takes longer, a core is busy for all of that time, and no more than one.
        worth[one.account] += one.count * one.cores * min(seconds, rules.worthwhile) / rules.worthwhile
    first, later = _expected(snapshot.expected.get(core_type, ()), rules)
    return Need(
        core_type=core_type,
        queued=queued,
        work=total,
        # What an account's reserved cores do of its work needs no others.
        worth=sum(max(0.0, cores - reserved.get(account, 0)) for account, cores in worth.items()),
        largest=max((cores for account, cores in largest.items() if cores > reserved.get(account, 0)), default=0),
        too_large=too_large,
        expected=first,
        expected_later=later,
        reserved=sum(reserved.values()),
    )


def _expected(busy: Sequence[float], rules: Rules) -> tuple[float, float]:
    """Cores to have when a machine started now is ready; and on average over an increment from now.

    The former are those that are needed at once then, and for all of the time that is paid: neither a minute's burst
    nor the load of an hour later is a reason to start a machine now.
    """
    if not busy:
        return 0.0, 0.0
    slices = max(1, round(rules.increment / rules.slice_seconds))
    first = min(int(rules.boot_seconds / rules.slice_seconds), len(busy) - 1)
    paid, soon = busy[first : first + slices], busy[:slices]
    return min(busy[first], sum(paid) / len(paid)), sum(soon) / len(soon)


def stocks_of(snapshot: Snapshot, needs: Sequence[Need]) -> dict[str, Stock]:
    """By core type."""
    of_one: dict[str, list[Machine]] = defaultdict(list)
    of_several: list[Machine] = []
    for machine in snapshot.machines:
        if machine.state == "draining":
            continue
        if len(machine.core_types) == 1:
            of_one[machine.core_types[0]].append(machine)
        else:
            of_several.append(machine)
    stocks = {need.core_type: _stock(of_one[need.core_type]) for need in needs}
    # Those that serve several types go to the type that lacks most of what it wants.
    free = [machine.slots for machine in of_several]
    for need in sorted(needs, key=lambda need: stocks[need.core_type].cores - need.keep):
        lacking = need.keep - stocks[need.core_type].cores
        share = 0
        for number, machine in enumerate(of_several):
            if lacking > 0 and need.core_type in machine.core_types:
                taken = min(free[number], lacking)
                free[number], lacking, share = free[number] - taken, lacking - taken, share + taken
        stocks[need.core_type] = _stock(of_one[need.core_type], shared=share)
    for code, stock in stocks.items():
        spare = sum(left for left, machine in zip(free, of_several, strict=True) if code in machine.core_types)
        stocks[code] = replace(stock, spare=spare)
    return stocks


def _stock(machines: Sequence[Machine], *, shared: int = 0) -> Stock:
    booting = [machine for machine in machines if machine.state == "booting"]
    return Stock(
        machines=machines,
        ready=sum(machine.slots for machine in machines if machine.state == "ready"),
        booting=sum(machine.slots for machine in booting),
        shared=shared,
        spare=0,
        boot_left=min((machine.boot_left for machine in booting), default=0.0),
    )
