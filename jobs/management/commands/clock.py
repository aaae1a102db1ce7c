"""Run the clock until SIGTERM or SIGINT."""

import logging
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from redis import RedisError

from jobs.services import dispatch, recover
from jobs.services.delete import remove_orphaned_results
from jobs.services.leader import Leadership
from jobs.services.modules import remove_unused_sets
from storage.services import remove_orphans

logger = logging.getLogger(__name__)

ABANDONED = timedelta(minutes=10)


def close_abandoned_submits() -> None:
    recover.close_abandoned_submits(older_than=ABANDONED)


# What to do, and how often in seconds.
DUTIES: list[tuple[Callable[[], object], float]] = [
    (recover.expire_leases, 1.0),
    (dispatch.reissue_tickets, 1.0),
    (close_abandoned_submits, 30.0),
    (remove_unused_sets, 3600.0),
    (remove_orphans, 3600.0),
    (remove_orphaned_results, 3600.0),
]


class Command(BaseCommand):
    help = "Keeps the promises that need a clock: lost workers' jobs are taken back, and no queued job is forgotten."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        leadership = Leadership()
        due = {duty: 0.0 for duty, _ in DUTIES}
        while not stop.wait(1.0):
            if leadership.hold():
                _do_what_is_due(due)
        leadership.resign()


def _do_what_is_due(due: dict[Callable[[], object], float]) -> None:
    for duty, every in DUTIES:
        now = time.monotonic()
        if now >= due[duty]:
            due[duty] = now + every
            _do(duty)


def _do(duty: Callable[[], object]) -> None:
    """An outage of the database or of Redis ends this round, not the clock."""
    try:
        duty()
    except (DatabaseError, RedisError, OSError) as error:
        logger.error("%s failed, to be tried again: %s", duty.__name__, error)
        connection.close_if_unusable_or_obsolete()
