#!/usr/bin/env python3
"""Measure PiCloud beside its rivals: `make bench`, or `python benchmarks/run.py --only a,b --rounds 3`.

Starts a whole stack of ours and the rivals, all in a temporary directory, asks them in turns, prints tables,
writes them to benchmarks/results/, and ends all that it started.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# This process serves nothing: without one, importing the settings would make a key and keep it.
os.environ.setdefault("SECRET_KEY", "for the benchmarks only: nobody signs with this")

from benchmarks.harness import machine, report  # noqa: E402
from benchmarks.harness.arena import Arena, arena  # noqa: E402
from benchmarks.harness.figures import Table  # noqa: E402
from benchmarks.measures import calls, cold, live_log, memory, modules, pages, recovery, schedules, videos  # noqa: E402

RIVALS_NEEDED = "abcd"
# The last ones leave the stack the worse for wear.
MEASURES: dict[str, Callable[[Arena], Table]] = {
    "a": calls.round_trip,
    "b": calls.bulk,
    "c": calls.echo,
    "d": calls.work,
    "e": videos.videos,
    "f": cold.first_call,
    "h": pages.panel,
    "i": live_log.latency,
    "k": modules.second_submit,
    "l": schedules.start_delay,
    "j": recovery.recovery,
}
LETTERS = sorted([*MEASURES, "g"])


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure PiCloud beside its rivals.")
    parser.add_argument("--only", default=",".join(LETTERS), help=f"letters of measures, of {','.join(LETTERS)}")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measure (3)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the tasks: shows that it works, not how fast")
    given = parser.parse_args()
    given.only = set(given.only.split(","))
    if unknown := sorted(given.only - set(LETTERS)):
        parser.error(f"there is no measure {', '.join(unknown)}: choose of {', '.join(LETTERS)}")
    return given


def show(one: Callable[[], Table]) -> Table:
    """What a measure found, printed as soon as it is there."""
    began = time.monotonic()
    table = one()
    print(report.as_text(table))
    print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return table


def measure(where: Arena, only: set[str], tables: list[Table]) -> None:
    """All that were asked for, in an order in which none disturbs the next, added to the tables one by one."""
    fresh = memory.idle(where.stack) if "g" in only else {}
    for letter, one in MEASURES.items():
        if letter == "i" and "g" in only:
            tables.append(show(lambda: memory.table(fresh, memory.idle(where.stack))))
        if letter in only:
            tables.append(show(partial(one, where)))


def end(number: int, _frame: object) -> None:
    """A signal ends it as an exception does: by way of everything that must be stopped."""
    # A second one must not break into the end.
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> None:
    given = options()
    signal.signal(signal.SIGTERM, end)
    began = time.monotonic()
    needs_rivals = bool(given.only & set(RIVALS_NEEDED))
    with tempfile.TemporaryDirectory(prefix="picloud-bench-") as directory:
        where = Path(directory)
        with arena(where, with_rivals=needs_rivals, rounds=given.rounds, quick=given.quick) as ready:
            facts = machine.describe(ready.python)
            facts["asked"] = f"{','.join(sorted(given.only))}, {given.rounds} rounds{', quick' if given.quick else ''}"
            for name, text in facts.items():
                print(f"{name}: {text}", flush=True)
            tables: list[Table] = []
            try:
                measure(ready, given.only, tables)
            finally:
                # What was measured is kept, whatever became of the rest.
                path = report.write(tables, machine=facts)
    print(f"\n{time.monotonic() - began:.0f} s in all. Written to {path.relative_to(ROOT)} and beside it as JSON.")


if __name__ == "__main__":
    main()
