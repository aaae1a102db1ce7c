"""A trace made here: five weeks of an office, whose habits can be learned. The same each time."""

import random

from benchmarks.autoscaler.traces import Submit

DAY, HOUR = 86_400, 3_600
WEEKS = 5


def office() -> list[Submit]:
    """Each working day a report at nine and a batch at six in the evening, short calls by day, and now and then a
    large study that nobody could foresee."""
    rng = random.Random(2026)
    found: list[Submit] = []
    for day in range(WEEKS * 7):
        if day % 7 < 5:
            found.append(Submit(day * DAY + 9 * HOUR + rng.uniform(0, 120), 600, 240, "report", "sales"))
            found.append(Submit(day * DAY + 18 * HOUR + rng.uniform(0, 300), 1800, 80, "batch", "stock"))
            for _ in range(300):
                at = day * DAY + 8 * HOUR + rng.uniform(0, 10 * HOUR)
                found.append(Submit(at, rng.lognormvariate(3, 0.5), 1, "query", "support"))
        if rng.random() < 0.15:
            at = day * DAY + rng.uniform(0, 20 * HOUR)
            found.append(Submit(at, rng.uniform(600, 5400), rng.randrange(50, 400), f"study-{day}", "research"))
    return sorted(found)
