"""Server time of the jobs panel, by benchmarks/panel.py in a process of its own."""

import re
import subprocess
import sys

from benchmarks.harness.arena import Arena
from benchmarks.harness.contestants import ROOT, clean_env
from benchmarks.harness.figures import Table

FILTERS = ("status", "label", "function", "core type", "date", "text")  # the first six questions of panel.py
HEAD = re.compile(r"^([\d,]+) batches")
LINE = re.compile(r"^  (.{32}) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+)$")
Times = tuple[float, float, float]  # ms: p50, p95, and p95 of the processor time


def panel(arena: Arena) -> Table:
    sizes = [10_000] if arena.quick else [10_000, 1_000_000]
    command = [sys.executable, "benchmarks/panel.py", *map(str, sizes)]
    done = subprocess.run(command, cwd=ROOT, env=clean_env(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"benchmarks/panel.py failed:\n{done.stderr[-3000:]}")
    times = parse(done.stdout)
    rows = [[name, *(_cell(times[size][name]) for size in sizes)] for name in FILTERS]
    others = [name for name in times[sizes[0]] if name not in FILTERS]
    worst = [max((times[size][name] for name in others), key=lambda one: one[1]) for size in sizes]
    rows.append([f"worst of {len(others)} other questions", *map(_cell, worst)])
    return Table(
        key="h",
        title="Jobs panel, server time",
        columns=["filter: p50 / p95 ms (p95 of processor time)", *(f"{size:,} jobs" for size in sizes)],
        rows=rows,
        notes=["The whole of Django: session, user, query, template. SQLite; every job is a batch of its own."],
        data={str(size): times[size] for size in sizes},
    )


def _cell(times: Times) -> str:
    p50, p95, spent = times
    return f"{p50:.1f} / {p95:.1f} ({spent:.1f})"


def parse(output: str) -> dict[int, dict[str, Times]]:
    """The times of each question by the number of rows, from what panel.py prints."""
    found: dict[int, dict[str, Times]] = {}
    rows = 0
    for line in output.splitlines():
        if head := HEAD.match(line):
            rows = int(head[1].replace(",", ""))
            found[rows] = {}
        elif match := LINE.match(line):
            found[rows][match[1].strip()] = (float(match[2]), float(match[3]), float(match[4]))
    return found
