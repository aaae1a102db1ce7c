"""Run the clock until SIGTERM or SIGINT."""

import logging
import signal
import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from redis import RedisError

import billing.duties
import crons.duties
import jobs.duties
import realtime.duties
from common.duties import Duty
from common.exceptions import Refused
from jobs.services.leader import Leadership

logger = logging.getLogger(__name__)

# Each list has a thread of its own: what takes long in one, such as looking through a bucket, delays no cron.
LISTS = (
    [crons.duties.TICKER],
    crons.duties.DUTIES,
    jobs.duties.DUTIES,
    jobs.duties.HOLDS,
    realtime.duties.RESERVATIONS,
    realtime.duties.DUTIES,
    realtime.duties.HOSTS,
    billing.duties.DUTIES,
)
LONGEST_WAIT = 1.0  # seconds; a standby takes over after this and the time of the lock
SHORTEST_WAIT = 0.02  # seconds; what is due and cannot be done must not keep a core busy
FINISH_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Keeps the promises that need a clock: crons start when they are due, lost workers' jobs are taken back, "
        "no queued job is forgotten, and reserved cores stand ready."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        leadership = Leadership()
        threads = [Thread(target=_keep, args=(duties, leadership, stop), daemon=True) for duties in LISTS]
        for thread in threads:
            thread.start()
        # The main thread is free for signals.
        while not stop.wait(LONGEST_WAIT) and all(thread.is_alive() for thread in threads):
            pass
        failed = not stop.is_set()
        stop.set()
        for thread in threads:
            thread.join(FINISH_SECONDS)
        leadership.resign()
        if failed:
            # Half a clock is worse than none: the supervisor starts a whole one.
            raise SystemExit(1)


def _keep(duties: Sequence[Duty], leadership: Leadership, stop: Event) -> None:
    """Do the duties when they are due, for as long as this clock leads."""
    due = dict.fromkeys(duties, 0.0)
    wait = LONGEST_WAIT
    while not stop.wait(wait):
        wait = LONGEST_WAIT
        if leadership.hold():
            for duty in duties:
                if time.monotonic() >= due[duty]:
                    due[duty] = time.monotonic() + duty.seconds
                    _do(duty)
                moment = _next_moment(duty)
                if moment is not None:
                    due[duty] = min(due[duty], moment)
            wait = min(LONGEST_WAIT, max(SHORTEST_WAIT, min(due.values()) - time.monotonic()))


def _do(duty: Duty) -> None:
    """An outage of the database or of Redis ends this round, not the clock; nor does a row that is refused."""
    try:
        duty.do()
    except (DatabaseError, RedisError, OSError, Refused) as error:
        logger.error("%s failed, to be tried again: %s", getattr(duty.do, "__name__", duty.do), error)
        connection.close_if_unusable_or_obsolete()


def _next_moment(duty: Duty) -> float | None:
    """When the duty names its next moment, that moment by the monotonic clock."""
    if duty.next_due is None:
        return None
    try:
        moment = duty.next_due()
    except DatabaseError as error:
        logger.error("the next moment is unknown: %s", error)
        connection.close_if_unusable_or_obsolete()
        return None
    return None if moment is None else time.monotonic() + (moment - timezone.now()).total_seconds()
