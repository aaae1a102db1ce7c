"""`make up` and its end: quick, side by side, and nothing left behind."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.stack import Stack, stack, temporary_home
from tests.waiting import wait_until

CALL = "import cloud\nprint(cloud.result(cloud.call(lambda: 6 * 7), timeout=30))\n"


def test_second_start_serves_within_ten_seconds_and_remembers(tmp_path: Path) -> None:
    with temporary_home() as home:
        one = Stack(home)
        one.start("make", "up", timeout=120)
        account = one.account("alice")
        one.stop()
        began = time.monotonic()
        one.start("make", "up")
        assert time.monotonic() - began < 10
        assert account.run(CALL, cwd=tmp_path) == "42\n"
        one.stop()
        one.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_everything_within_ten_seconds(number: signal.Signals, tmp_path: Path) -> None:
    with stack() as one:
        account = one.account("alice")
        # A sandbox is at work while it stops.
        account.run(
            "import cloud, time\nj = cloud.call(time.sleep, 600)\nwhile cloud.status(j) != 'processing': pass\n",
            cwd=tmp_path,
        )
        began = time.monotonic()
        one.stop(number=number)
        assert time.monotonic() - began < 10
        one.assert_nothing_left()


def test_two_stacks_live_side_by_side(stack: Stack, tmp_path: Path) -> None:
    with temporary_home() as home:
        other = Stack(home)
        other.start()
        here, there = stack.account("side-by-side"), other.account("side-by-side")
        assert here.run(CALL, cwd=tmp_path) == there.run(CALL, cwd=tmp_path) == "42\n"
        other.stop()
        other.assert_nothing_left()
        # The end of one is not felt by the other.
        assert here.run(CALL, cwd=tmp_path) == "42\n"


def test_down_stops_it_from_elsewhere() -> None:
    with temporary_home() as home:
        one = Stack(home, PICLOUD_SANDBOX="process")
        one.start()
        first = one.process
        assert first is not None
        one.launch("make", "down")
        assert first.wait(15) == 0
        assert one.process is not None
        assert one.process.wait(15) == 0
        assert "Stopped." in one.log
        one.assert_nothing_left()


def test_dead_process_is_named_and_started_again() -> None:
    with stack(PICLOUD_SANDBOX="process") as one:
        one.kill("clock")
        wait_until(lambda: "clock was killed by SIGKILL; it starts again in 0.5 s" in one.log)
        wait_until(lambda: one.pids("clock"))
        one.wait_healthy()


def test_readiness_is_said_with_the_address() -> None:
    with stack(PICLOUD_SANDBOX="process") as one:
        wait_until(lambda: "ready" in one.log)
        assert re.search(rf"PiCloud is ready after \d+\.\d s: {re.escape(one.url)}/", one.log)
