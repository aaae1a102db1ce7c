"""All tests in two lanes: everything on SQLite, and beside it the server part on PostgreSQL, then whole stacks.

The last line counts all of them.

Arguments go to pytest, as in `python scripts/run_tests.py -k sandbox -x`.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
# Browsers and whole stacks look at the same things from further away.
STACKS = "tests/e2e"
NOT_TWICE = ["--ignore=tests/browser", f"--ignore={STACKS}"]
CLOSING = re.compile(r"=+ (.*) in [0-9.]+s.*=+")
NOTHING_SELECTED = 5


def start(arguments: list[str], *, output: IO[str] | None = None, **env: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stdout=output or subprocess.PIPE, text=True)


def show(lines: IO[str]) -> Counter[str]:
    """Prints what pytest says as it comes; the counts of its closing lines."""
    counts: Counter[str] = Counter()
    for line in lines:
        print(line, end="", flush=True)
        if closing := CLOSING.match(line):
            counts.update({word: int(number) for number, word in re.findall(r"(\d+) (\w+)", closing[1])})
    return counts


def closing_line(counts: Counter[str], seconds: float) -> str:
    order = ["failed", "errors", "error", "passed", "skipped", "deselected", "xfailed", "warnings", "warning"]
    words = ", ".join(f"{counts[word]} {word}" for word in order if counts[word])
    return f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


def follow(given: list[str], output: IO[str]) -> list[int]:
    """The second lane: the server part on PostgreSQL, then whole stacks; their exit codes."""
    again = start([*NOT_TWICE, *given], output=output, PICLOUD_TEST_DATABASE="postgres").wait()
    # A selection of the caller's is looked for in the first lane.
    return [again] if given else [again, start([STACKS], output=output).wait()]


def main() -> int:
    began = time.monotonic()
    given = sys.argv[1:]
    with tempfile.TemporaryFile("w+") as later, ThreadPoolExecutor(1) as lane:
        second = lane.submit(follow, given, later)
        print("# On SQLite, with everything that needs no database", flush=True)
        first = start(given or [f"--ignore={STACKS}"])
        assert first.stdout is not None
        counts = show(first.stdout)
        codes = [first.wait(), *second.result()]
        print("# On PostgreSQL, and whole stacks", flush=True)
        later.seek(0)
        more = show(later)
    # Those without a database were left out there on purpose, and have been counted once.
    del more["deselected"]
    print(closing_line(counts + more, time.monotonic() - began))
    if given and codes[1] == NOTHING_SELECTED:
        codes.pop()
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
