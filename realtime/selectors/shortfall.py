"""Why a reservation has not all its cores, and when they are to be expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from jobs.selectors.workers import Worker
from realtime.display.words import plural
from realtime.models import Reservation
from realtime.selectors.backlog import Backlog, recent_backlog
from realtime.selectors.hosts import booting_for
from realtime.selectors.snapshot import rules_now
from realtime.states import OPEN


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """What is missing, in a sentence. `expected_at` is None when nobody knows."""

    sentence: str
    expected_at: datetime | None = None


def shortfall_of(row: Reservation, *, have: int, workers: Sequence[Worker], now: datetime) -> Shortfall:
    """What keeps `row.cores - have` cores of a reservation from being ready."""
    core_type, missing = row.core_type_id, row.cores - have
    able = [worker for worker in workers if core_type in worker.core_types and worker.is_able]
    others = sum(1 for worker in able if worker.group not in (None, row.group))
    busy = sum(1 for worker in able if worker.is_busy and worker.group is None)
    so_far = f"{have} of {plural(row.cores, 'core')} {'stands' if have == 1 else 'stand'} ready."
    if len(able) < row.cores:
        return _too_few(so_far, core_type, number=len(able), missing=row.cores - len(able), now=now)
    if len(able) - others < row.cores:
        because = f"{others} of {len(able)} are reserved by others: the rest comes when these are released."
        return Shortfall(sentence=f"{so_far} {because}", expected_at=_released_by(row, missing))
    if busy:
        because = f"{busy} more still run other jobs: they follow as these end, and nothing is cut short."
        return Shortfall(sentence=f"{so_far} {because}", expected_at=_free_by(missing, now=now))
    return Shortfall(sentence=f"{so_far} The rest is being prepared, which takes seconds.")


def _too_few(so_far: str, core_type: str, *, number: int, missing: int, now: datetime) -> Shortfall:
    here = f"{so_far} {plural(number, 'worker')} {'serves' if number == 1 else 'serve'} {core_type} here now"
    booting = booting_for(core_type)
    if sum(host.slots for host in booting) < missing:
        return Shortfall(sentence=f"{here}: the rest comes when more are started.")
    last = max(host.launched_at for host in booting) + timedelta(seconds=rules_now().boot_seconds)
    return Shortfall(
        sentence=f"{here}, and {plural(len(booting), 'machine')} with more of them boot.", expected_at=max(last, now)
    )


def _released_by(row: Reservation, missing: int) -> datetime | None:
    """When enough cores of others have ended by themselves, if all of these say when they do."""
    rows = Reservation.objects.filter(state__in=OPEN, core_type_id=row.core_type_id, ready_at__isnull=False)
    ends = sorted((other.ends_by, other.cores) for other in rows if other.group != row.group and other.ends_by)
    for end, cores in ends:
        missing -= cores
        if missing <= 0:
            return end
    return None


def _free_by(missing: int, *, now: datetime) -> datetime | None:
    """When so many running jobs are likely to have ended; None by a mere guess, on which nobody should plan."""
    found = _work_at(now)
    if found.guessed:
        return None
    rate = sum(work.count * work.cores / max(work.seconds, 1.0) for work in found.running)
    return now + timedelta(seconds=missing / rate) if rate else None


@lru_cache(maxsize=1)
def _work_at(now: datetime) -> Backlog:
    """Read once for all reservations of which the clock asks at the same moment."""
    return recent_backlog(now)
