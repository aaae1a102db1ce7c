"""How long a decision takes, with more and more machines and jobs."""

import random
import statistics
import time

from realtime.capacity.autoscaler import decide
from realtime.capacity.snapshot import Machine, Rules, Snapshot, Work

ROUNDS = 3
SIZES = ((10, 1_000), (100, 10_000), (1000, 10_000), (1000, 100_000), (1000, 1_000_000))


def snapshot(*, machines: int, groups: int) -> Snapshot:
    """The worst case: no two jobs that are queued are alike, so that each is a group by itself."""
    rng = random.Random(1)
    types = ("c1", "c2", "f2", "m1", "s1")
    return Snapshot(
        core_types=types,
        queued=[
            Work(account=n % 100, core_type=types[n % 5], cores=1, count=1, seconds=rng.expovariate(1 / 600))
            for n in range(groups)
        ],
        running=[],
        expected=dict.fromkeys(types, (5.0,) * 13),
        reserved=[],
        machines=[
            Machine(
                name=f"host-{n}",
                core_types=(types[n % 5],),
                slots=8,
                state="ready",
                busy=n % 3,
                paid_for=rng.uniform(0, 3600),
                idle_for=3600,
            )
            for n in range(machines)
        ],
        shapes=dict.fromkeys(types, 8),
        rules=Rules(max_machines=2000),
    )


def decision_times() -> list[list[str]]:
    """Rows of a table: machines, jobs of which no two are alike, milliseconds."""
    rows = []
    for machines, groups in SIZES:
        given = snapshot(machines=machines, groups=groups)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            decide(given)
            took.append(time.perf_counter() - began)
        rows.append([f"{machines:,}", f"{groups:,}", f"{statistics.median(took) * 1000:,.1f}"])
    return rows
