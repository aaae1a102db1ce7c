"""All tests: everything on SQLite, then the server part again on PostgreSQL. The last line counts both.

Arguments go to pytest, as in `python scripts/run_tests.py -k sandbox -x`.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Browsers and whole stacks look at the same things from further away.
NOT_TWICE = ["--ignore=tests/browser", "--ignore=tests/e2e"]
CLOSING = re.compile(r"=+ (.*) in [0-9.]+s.*=+")


def run(words: str, arguments: list[str], *, env: dict[str, str]) -> tuple[int, Counter[str]]:
    """Exit code of one pytest, and the counts of its closing line."""
    print(f"# {words}", flush=True)
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line if CLOSING.match(line) else last
    counts = re.findall(r"(\d+) (\w+)", CLOSING.sub(r"\1", last))
    return process.returncode, Counter({word: int(number) for number, word in counts})


def closing_line(counts: Counter[str], seconds: float) -> str:
    order = ["failed", "errors", "error", "passed", "skipped", "deselected", "xfailed", "warnings", "warning"]
    words = ", ".join(f"{counts[word]} {word}" for word in order if counts[word])
    return f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


def main() -> int:
    began = time.monotonic()
    given = sys.argv[1:]
    code, counts = run("On SQLite, with everything that needs no database", given, env={})
    again, more = run("On PostgreSQL", [*NOT_TWICE, *given], env={"PICLOUD_TEST_DATABASE": "postgres"})
    # Those without a database were left out on purpose, and have been counted once.
    del more["deselected"]
    print(closing_line(counts + more, time.monotonic() - began))
    # 5: nothing matched the given selection there.
    return code or (0 if again == 5 and given else again)


if __name__ == "__main__":
    sys.exit(main())
