"""The clock's threads: one clock leads, a standby takes over, and duties come at the moment that they name."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.utils import timezone

from common.duties import Duty
from jobs.services.leader import Leadership
from picloud_site.management.commands.clock import _keep
from tests.waiting import wait_until


@contextmanager
def keeping(*duties: Duty) -> Iterator[Event]:
    """A clock with these duties; setting the event ends it as a kill does, without a word to others."""
    stop = Event()
    thread = Thread(target=_keep, args=(duties, Leadership(), stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(5)


def test_standby_takes_over_within_ten_seconds(redis: Any) -> None:
    did: list[str] = []
    with keeping(Duty(lambda: did.append("first"), 0.1)) as first:
        wait_until(lambda: did, what="the first clock to lead")
        with keeping(Duty(lambda: did.append("second"), 0.1)):
            wait_until(lambda: len(did) > 5, what="the first clock to go on")
            assert set(did) == {"first"}
            first.set()
            died = time.monotonic()
            wait_until(lambda: "second" in did, timeout=10, what="the standby to lead")
            assert time.monotonic() - died < 10


def test_duty_comes_at_the_moment_it_names(redis: Any) -> None:
    moments = [timezone.now() + timedelta(seconds=1.35)]
    late: list[timedelta] = []

    def do() -> None:
        now = timezone.now()
        if moments and now >= moments[0]:
            late.append(now - moments.pop())

    with keeping(Duty(do, 60.0, lambda: moments[0] if moments else None)):
        wait_until(lambda: late, what="the duty")
    assert late[0] < timedelta(seconds=0.5)


def test_outage_of_a_duty_ends_no_clock(redis: Any) -> None:
    did: list[str] = []

    def fail() -> None:
        did.append("failed")
        raise OSError("the disk is gone")

    with keeping(Duty(fail, 0.05)):
        wait_until(lambda: len(did) > 2, what="it to be tried again")
