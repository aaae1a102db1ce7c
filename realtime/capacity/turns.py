"""When a queued job should start, where accounts take turns on the cores that there are."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Busy(NamedTuple):
    """Cores on which jobs run, and what each of those still takes."""

    cores: int
    seconds: float


def first_free(running: Iterable[Busy], *, cores: int) -> float:
    """Seconds until a core is free. Of many that run, one ends soon, however long each of them takes."""
    busy, rate = 0, 0.0
    for one in running:
        busy += one.cores
        rate += one.cores / max(one.seconds, 0.001)
    return 0.0 if busy < cores or not rate else 1 / rate


def with_own(shared: float | None, *, ahead: float, own_cores: int, free_in: float) -> float:
    """Seconds until a job starts that both `own_cores`, which serve its account alone, and shared cores work towards.

    `shared` is how long it would take on the shared cores by themselves; None without any.
    """
    alone = free_in + ahead / own_cores
    if shared is None:
        return alone
    # Both work off the same queue.
    return 0.0 if not alone or not shared else alone * shared / (alone + shared)


def starts_in(*, ahead: float, own: float, others: Sequence[float], cores: int, free_in: float) -> float:
    """Seconds until a job starts.

    `ahead` is what the account has in the queue before it, `own` what the job takes itself, `others` what each other
    account has in the queue, all in core-seconds. While an account's turn comes round, each other one has had as much.
    """
    share = ahead + own
    return free_in + (ahead + sum(min(work, share) for work in others)) / cores
