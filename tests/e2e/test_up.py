"""`make up` and its end: quick, side by side, and nothing left behind."""

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.stack import CODE, Stack, stack_at_rest
from tests.waiting import wait_until

CALL = "import cloud\nprint(cloud.result(cloud.call(lambda: 6 * 7), timeout=30))\n"


LONG = """
import cloud, time
jid = cloud.call(time.sleep, 600)
while cloud.status(jid) != "processing":
    time.sleep(0.05)
"""


def seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_make_up_stops_clean_and_starts_again(tmp_path: Path) -> None:
    with stack_at_rest() as one:
        one.start("make", "up", timeout=120)
        account = one.account("alice")
        # A sandbox is at work while it stops.
        account.run(LONG, cwd=tmp_path)
        assert seconds_of(lambda: one.stop(number=signal.SIGINT)) < 10
        one.assert_nothing_left()
        # Some 4 s; the limit only tells a start that sets everything up again.
        one.start("make", "up", timeout=30)
        account.run("import cloud\ncloud.kill()\n", cwd=tmp_path)
        assert account.run(CALL, cwd=tmp_path) == "42\n"
        assert seconds_of(lambda: one.stop(number=signal.SIGTERM)) < 10


def test_two_stacks_live_side_by_side(stack: Stack, tmp_path: Path) -> None:
    with stack_at_rest() as other:
        other.start()
        here, there = stack.account("side-by-side"), other.account("side-by-side")
        assert here.run(CALL, cwd=tmp_path) == there.run(CALL, cwd=tmp_path) == "42\n"
        other.stop()
        other.assert_nothing_left()
        # The end of one is not felt by the other.
        assert here.run(CALL, cwd=tmp_path) == "42\n"


def test_supervisor_says_what_it_does_and_obeys_from_elsewhere() -> None:
    with stack_at_rest(PICLOUD_SANDBOX="process") as one:
        one.start()
        wait_until(lambda: re.search(rf"PiCloud is ready after \d+\.\d s: {re.escape(one.url)}/", one.log))
        one.kill("clock")
        wait_until(lambda: "clock was killed by SIGKILL; it starts again in 0.5 s" in one.log)
        wait_until(lambda: one.pids("clock"))
        down = subprocess.run(["make", "down"], cwd=CODE, env=one.env, capture_output=True, text=True, check=True)
        assert down.stdout == "Stopped.\n"
        assert one.process is not None
        assert one.process.wait(5) == 0
