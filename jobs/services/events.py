"""Writing the story of jobs, and the counters that tell how far a batch is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.utils import timezone

from common.ranges import ranges_of
from common.sql import db_time, execute, insert_rows
from jobs.models import JobEvent
from jobs.states import UNFINISHED, Reason, Status


def record_event(
    batch_id: int,
    jids: Iterable[int],
    *,
    name: str,
    status: Status | None = None,
    reason: Reason = Reason.NONE,
    attempt: int = 0,
    worker: str = "",
    detail: str = "",
    at: datetime | None = None,
) -> None:
    """Add one event for each contiguous range of the jids."""
    shared = {
        "batch_id": batch_id,
        "name": name,
        "status": status or "",
        "reason": reason,
        "attempt": attempt,
        "worker": worker,
        "detail": detail[:300],
        "at": at or timezone.now(),
    }
    insert_rows(JobEvent, [{**shared, "first_jid": first, "last_jid": last} for first, last in ranges_of(jids)])


def count_moves(
    batch_id: int,
    moves: Mapping[tuple[Status, Status], int],
    *,
    run_ms: int = 0,
    charge: int = 0,
    memory_peak: int = 0,
) -> None:
    """Shift the counters of a batch by (before, after) moves, and close it when nothing is left to run."""
    change: Counter[Status] = Counter()
    for (before, after), number in moves.items():
        change[before] -= number
        change[after] += number
    shifts = [(status, by) for status, by in change.items() if by]
    sets = [f"n_{status} = n_{status} + %s" for status, _ in shifts]
    unfinished = " + ".join(f"n_{status}" for status in sorted(UNFINISHED))
    fewer = sum(change[status] for status in UNFINISHED)
    # The right-hand sides see the row as it was.
    closed = f"received = size AND {unfinished} + (%s) = 0"
    sets += [
        "run_ms = run_ms + %s",
        "charge = charge + %s",
        "memory_peak = CASE WHEN memory_peak < %s THEN %s ELSE memory_peak END",
        f"finished_at = CASE WHEN {closed} THEN CAST(%s AS {_time_type()}) ELSE finished_at END",
    ]
    execute(
        f"UPDATE jobs_batch SET {', '.join(sets)} WHERE id = %s",
        [*(by for _, by in shifts), run_ms, charge, memory_peak, memory_peak, fewer, db_time(timezone.now()), batch_id],
    )


def _time_type() -> str:
    return "text" if connection.vendor == "sqlite" else "timestamptz"


def lock_order(batch_ids: Iterable[int]) -> list[int]:
    """Batches in the order in which every transaction touches them, so that two never wait for each other."""
    return sorted(set(batch_ids))
