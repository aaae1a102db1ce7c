"""How many cores can be reserved at a time, by an account and by all of them together."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import redis
from django.conf import settings
from django.utils import timezone

from common.exceptions import Refused
from jobs.models import CoreType
from jobs.selectors.workers import live_workers
from realtime.models import Reservation
from realtime.states import OPEN


class Taken(NamedTuple):
    """So many cores from a moment to another."""

    start: datetime
    end: datetime
    cores: int


class Limits(NamedTuple):
    """Cores at a time."""

    of_account: int
    of_all: int


def limits() -> Limits:
    """Those of the settings; where they say nothing, all the cores that there are."""
    everything = _cores_here() if 0 in (settings.REALTIME_MAX_CORES, settings.REALTIME_MAX_CORES_IN_ALL) else 0
    return Limits(
        of_account=settings.REALTIME_MAX_CORES or everything, of_all=settings.REALTIME_MAX_CORES_IN_ALL or everything
    )


def _cores_here(core_type: str | None = None) -> int:
    """Each worker is a core; of those that serve a core type, or all. While Redis does not answer, those of this
    machine are known."""
    own = settings.WORKER_SLOTS if core_type is None or core_type in settings.CORE_TYPE_QUEUES else 0
    try:
        workers = live_workers()
    except redis.RedisError:
        return own
    return max(own, sum(core_type is None or core_type in worker.core_types for worker in workers))


def lock_requests() -> None:
    """Let one request at a time look at the limits and take a number. Jobs are not held up by it."""
    list(CoreType.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def last_moment(start: datetime, *, max_hours: int | None) -> datetime:
    """When a reservation that is ready at this start has ended at the latest."""
    return start + timedelta(hours=settings.REALTIME_MAX_HOURS if max_hours is None else max_hours)


def taken_by(reservations: Iterable[Reservation]) -> list[Taken]:
    """When these reservations hold their cores, as far as one can say."""
    now = timezone.now()
    found = []
    for row in reservations:
        start = row.ready_at or max(row.starts_at, now)
        found.append(Taken(start, row.ends_by or last_moment(start, max_hours=None), row.cores))
    return found


def peak(taken: Iterable[Taken], *, start: datetime, end: datetime) -> int:
    """The most cores that are held at one moment between these."""
    within = [one for one in taken if one.start < end and one.end > start]
    moments = {start, *(one.start for one in within if one.start > start)}
    return max(sum(one.cores for one in within if one.start <= moment < one.end) for moment in moments)


def check_limits(*, account_id: int, core_type: str, wanted: Taken, beside: Reservation | None = None) -> None:
    """Raises Refused, with the numbers, when the cores are more than there can be. Call it with requests locked.

    `beside` is the reservation that holds them already, and is not counted against itself.
    """
    allowed = limits()
    rows = [row for row in Reservation.objects.filter(state__in=OPEN) if row != beside]
    own = peak(taken_by(row for row in rows if row.account_id == account_id), start=wanted.start, end=wanted.end)
    everybody = peak(taken_by(rows), start=wanted.start, end=wanted.end)
    if own + wanted.cores > allowed.of_account:
        raise _too_many(
            f"An account can reserve {_cores(allowed.of_account)} at a time here", own, wanted.cores, allowed.of_account
        )
    if everybody + wanted.cores > allowed.of_all:
        raise _too_many(
            f"{_cores(allowed.of_all)} can be reserved at a time by all accounts together",
            everybody, wanted.cores, allowed.of_all,
        )  # fmt: skip
    _check_type(core_type, rows, account_id=account_id, wanted=wanted)


def _check_type(core_type: str, rows: Iterable[Reservation], *, account_id: int, wanted: Taken) -> None:
    """Where the settings say nothing, no more of a type than there are workers that serve it."""
    if 0 not in (settings.REALTIME_MAX_CORES, settings.REALTIME_MAX_CORES_IN_ALL):
        return
    of_account = settings.REALTIME_MAX_CORES_IN_ALL != 0
    alike = (row for row in rows if row.core_type_id == core_type and (not of_account or row.account_id == account_id))
    taken, here = peak(taken_by(alike), start=wanted.start, end=wanted.end), _cores_here(core_type)
    if taken + wanted.cores > here:
        raise _too_many(f"{_cores(here)} for {core_type} can be reserved at a time here", taken, wanted.cores, here)


def _too_many(rule: str, taken: int, wanted: int, limit: int) -> Refused:
    left = max(0, limit - taken)
    none_left = "wait until some are released" if taken else "wait until there are some"
    advice = f"ask for {left} at most" if left else none_left
    return Refused(
        "too_many_cores",
        f"{rule}; {taken} of them are reserved in that time, and {wanted:,} more are too many: {advice}.",
    )


def _cores(number: int) -> str:
    return f"{number:,} core{'' if number == 1 else 's'}"
