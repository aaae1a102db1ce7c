"""How many cores can be reserved at a time, by an account and by all of them together."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import redis
from django.conf import settings
from django.utils import timezone

from common.exceptions import Refused
from jobs.selectors.workers import live_workers
from realtime.models import Reservation
from realtime.states import OPEN

FOR_EVER = datetime.max.replace(tzinfo=UTC)


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


def _cores_here() -> int:
    """Each worker is a core. While Redis does not answer, those of this machine are known."""
    try:
        return max(settings.WORKER_SLOTS, len(live_workers()))
    except redis.RedisError:
        return settings.WORKER_SLOTS


def taken_by(reservations: Iterable[Reservation]) -> list[Taken]:
    """When these reservations hold their cores, as far as one can say."""
    now = timezone.now()
    return [Taken(row.ready_at or max(row.starts_at, now), row.ends_by or FOR_EVER, row.cores) for row in reservations]


def peak(taken: Iterable[Taken], *, start: datetime, end: datetime) -> int:
    """The most cores that are held at one moment between these."""
    within = [one for one in taken if one.start < end and one.end > start]
    moments = {start, *(one.start for one in within if one.start > start)}
    return max(sum(one.cores for one in within if one.start <= moment < one.end) for moment in moments)


def check_limits(*, account_id: int, wanted: Taken) -> None:
    """Raises Refused, with the numbers, when the cores are more than there can be. Call it with requests locked."""
    allowed = limits()
    rows = list(Reservation.objects.filter(state__in=OPEN))
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


def _too_many(rule: str, taken: int, wanted: int, limit: int) -> Refused:
    left = max(0, limit - taken)
    advice = f"ask for {left} at most" if left else "wait until some are released"
    return Refused(
        "too_many_cores",
        f"{rule}; {taken} of them are reserved in that time, and {wanted:,} more are too many: {advice}.",
    )


def _cores(number: int) -> str:
    return f"{number:,} core{'' if number == 1 else 's'}"
