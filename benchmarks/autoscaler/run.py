#!/usr/bin/env python3
"""Replay recorded submissions through the autoscaler: `python benchmarks/autoscaler/run.py [TRACE.swf TRACE.csv ...]`.

Without a trace, five weeks of an office that is made here. Prints what each policy cost and how long jobs waited, and
with --plots writes SVG files; --scale asks how long a decision takes with up to 1,000 machines and a million groups of
jobs.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.autoscaler import plots  # noqa: E402
from benchmarks.autoscaler.made import office  # noqa: E402
from benchmarks.autoscaler.policies import Fixed, Ours, QueueLength, clairvoyant  # noqa: E402
from benchmarks.autoscaler.scale import decision_times  # noqa: E402
from benchmarks.autoscaler.traces import BadTrace, Submit, read  # noqa: E402
from benchmarks.autoscaler.world import Policy, Provider, Result, World  # noqa: E402
from benchmarks.harness.figures import percentile  # noqa: E402

DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Trace:
    name: str
    submits: Sequence[Submit]

    @property
    def work(self) -> float:
        """Core-seconds."""
        return sum(submit.seconds * submit.count for submit in self.submits)

    @property
    def jobs(self) -> int:
        return sum(submit.count for submit in self.submits)

    @property
    def days(self) -> float:
        return (self.submits[-1].at - self.submits[0].at) / DAY


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replay recorded submissions through the autoscaler.")
    parser.add_argument("traces", nargs="*", type=Path, help="files in the Standard Workload Format, or CSV")
    parser.add_argument("--submits", type=int, default=2500, help="submits of each trace, from its begin (2500)")
    parser.add_argument("--increment", type=float, default=3600.0, help="seconds in which machines are paid (3600)")
    parser.add_argument("--boot", type=float, default=240.0, help="seconds until a machine is ready (240)")
    parser.add_argument("--slots", type=int, default=4, help="cores of a machine (4)")
    parser.add_argument("--machines", type=int, default=200, help="machines at most (200)")
    parser.add_argument("--plots", type=Path, help="directory for SVG files")
    parser.add_argument("--scale", action="store_true", help="ask how long decisions take")
    return parser.parse_args()


def traces(given: argparse.Namespace) -> Iterator[Trace]:
    if not given.traces:
        yield Trace(name="office", submits=office())
    for path in given.traces:
        yield Trace(name=path.stem, submits=read(path)[: given.submits])


def policies(trace: Trace, provider: Provider, most: int) -> list[Policy]:
    """Ours, and sizes around what the work needs on average."""
    mean = trace.work / max(3600.0, trace.days * DAY)
    sizes = sorted({max(provider.slots, round(mean * factor)) for factor in (1, 2, 4)})
    return [
        Ours(provider, max_machines=most),
        Ours(provider, max_machines=most, forecast=False),
        QueueLength(max_machines=most),
        *(Fixed(size, provider) for size in sizes),
    ]


def row(result: Result) -> list[str]:
    waits = sorted(result.waits)
    return [
        f"{result.cost:,.2f}",
        f"{statistics.fmean(waits) / 60:,.1f}",
        f"{percentile(waits, 0.5) / 60:,.1f}",
        f"{percentile(waits, 0.95) / 60:,.1f}",
        f"{result.idle_share:.0%}",
        f"{result.most_cores:,}",
    ]


def replay(trace: Trace, given: argparse.Namespace) -> None:
    provider = Provider(slots=given.slots, boot_seconds=given.boot, increment=given.increment)
    print(
        f"\n{trace.name}: {len(trace.submits):,} submits of {trace.jobs:,} jobs in {trace.days:.1f} days, "
        f"{trace.work / 3600:,.0f} core-hours; machines of {given.slots} cores, paid by {given.increment:.0f} s"
    )
    results = []
    for policy in policies(trace, provider, given.machines):
        began = time.monotonic()
        results.append(World(trace.submits, policy, provider).run())
        print(f"  {policy.name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    bound = clairvoyant(trace.submits, provider)
    head = ("", "cost $", "mean wait min", "p50", "p95", "idle", "most cores")
    print_table(head, [[result.name, *row(result)] for result in (*results, bound)])
    if given.plots:
        draw(trace, [*results, bound], given)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As Markdown, to be taken over into the documentation."""
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for cells in rows:
        print(f"| {' | '.join(cells)} |")


def draw(trace: Trace, results: Sequence[Result], given: argparse.Namespace) -> None:
    waits = [percentile(sorted(result.waits), 0.95) for result in results]
    plots.cost_and_wait(
        results, waits, given.plots / f"autoscaling-{trace.name}-cost.svg", title=f"Cost and waiting: {trace.name}"
    )
    days = min(trace.days, 3.0)
    plots.cores(
        results[0],
        given.plots / f"autoscaling-{trace.name}-cores.svg",
        title=f"Cores under PiCloud's rule: {trace.name}",
        first_day=max(0.0, trace.days - days),
        days=days,
    )


def main() -> None:
    given = options()
    try:
        for trace in traces(given):
            replay(trace, given)
    except (BadTrace, OSError) as problem:
        sys.exit(str(problem))
    if given.scale:
        print_table(("machines", "queued jobs, no two alike", "decision ms"), decision_times())


if __name__ == "__main__":
    main()
