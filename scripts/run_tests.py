"""All tests: everything on SQLite, and beside it the server part on PostgreSQL. The last line counts both.

Arguments go to pytest, as in `python scripts/run_tests.py -k sandbox -x`.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
# Browsers and whole stacks look at the same things from further away.
NOT_TWICE = ["--ignore=tests/browser", "--ignore=tests/e2e"]
CLOSING = re.compile(r"=+ (.*) in [0-9.]+s.*=+")
NOTHING_SELECTED = 5


def start(arguments: list[str], *, output: IO[str] | None = None, **env: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stdout=output or subprocess.PIPE, text=True)


def show(lines: IO[str]) -> Counter[str]:
    """Prints what a pytest says as it comes; the counts of its closing line."""
    last = ""
    for line in lines:
        print(line, end="", flush=True)
        last = line if CLOSING.match(line) else last
    counts = re.findall(r"(\d+) (\w+)", CLOSING.sub(r"\1", last))
    return Counter({word: int(number) for number, word in counts})


def closing_line(counts: Counter[str], seconds: float) -> str:
    order = ["failed", "errors", "error", "passed", "skipped", "deselected", "xfailed", "warnings", "warning"]
    words = ", ".join(f"{counts[word]} {word}" for word in order if counts[word])
    return f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


def main() -> int:
    began = time.monotonic()
    given = sys.argv[1:]
    with tempfile.TemporaryFile("w+") as later:
        again = start([*NOT_TWICE, *given], output=later, PICLOUD_TEST_DATABASE="postgres")
        print("# On SQLite, with everything that needs no database", flush=True)
        first = start(given)
        assert first.stdout is not None
        counts = show(first.stdout)
        codes = [first.wait(), again.wait()]
        print("# On PostgreSQL", flush=True)
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
