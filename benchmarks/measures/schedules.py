"""From the instant that a schedule names to the start of the function."""

import time
from collections import defaultdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

import cloud
from benchmarks.harness.arena import Arena
from benchmarks.harness.figures import Table, percentile
from cloud import _client

CRONS = 25  # due in the same second, twelve times as many as there are cores
CORES = 2
MINUTES = 8
AFTERWARDS_S = 10


def start_delay(arena: Arena) -> Table:
    """Crons of one account, each due every minute: of 25, the first two of a minute find an idle core."""
    minutes = 1 if arena.quick else MINUTES
    labels = [f"start delay {number}" for number in range(CRONS)]
    for label in labels:
        cloud.cron.register(nothing, label, "* * * * *", _catch_up="none")
    try:
        # Nobody asks meanwhile: to be asked takes the cores that the crons are to find idle.
        time.sleep(60 - time.time() % 60 + 60 * (minutes - 1) + AFTERWARDS_S)
        runs = _started(labels)
    finally:
        for label in labels:
            cloud.cron.deregister(label)
    by_minute: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        delay = datetime.fromisoformat(run["started"]) - datetime.fromisoformat(run["scheduled"])
        by_minute[run["scheduled"]].append(delay.total_seconds() * 1000)
    whole = [sorted(delays) for delays in by_minute.values() if len(delays) == CRONS]
    delays = {
        "an idle core: the first two of a minute": [one for minute in whole for one in minute[:CORES]],
        f"all {CRONS} of a minute, on {CORES} cores": [one for minute in whole for one in minute],
    }
    return Table(
        key="l",
        title="Start delay of crons",
        columns=["from the scheduled instant to the start", "p50 ms", "p99 ms", "greatest", "runs"],
        rows=[
            [text, *(f"{value:.0f}" for value in (percentile(ms, 0.5), percentile(ms, 0.99), max(ms))), str(len(ms))]
            for text, ms in delays.items()
        ],
        notes=[f"{len(whole)} minutes; a cold start in the first of them."],
        data=delays,
    )


def nothing() -> None:
    time.sleep(0)


def _started(labels: list[str]) -> list[dict[str, Any]]:
    """The runs that have started, of all these crons."""
    pages = [_client.request_json("GET", f"/api/v1/crons/{quote(label)}/runs?limit=200") for label in labels]
    return [run for page in pages for run in page["runs"] if run["started"]]
