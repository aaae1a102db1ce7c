"""How long it takes until a job is done although a process is killed under it."""

import statistics
import time

import cloud
from benchmarks.harness.arena import Arena
from benchmarks.harness.figures import Table, spread
from benchmarks.measures.jobs import take_a_while
from tests.waiting import wait_until

VICTIMS = ("worker", "web", "clock", "valkey")
JOB_SECONDS = 1.0


def recovery(arena: Arena) -> Table:
    times: dict[str, list[float]] = {}
    attempts: dict[str, list[int]] = {}
    for _ in range(1 if arena.quick else min(arena.rounds, 2)):
        for victim in VICTIMS:
            seconds, attempt = once(arena, victim)
            times.setdefault(victim, []).append(seconds)
            attempts.setdefault(victim, []).append(attempt)
    rows = []
    for victim, one in times.items():
        who = "all workers" if victim == "worker" else victim
        begun = " ".join(map(str, attempts[victim]))
        rows.append([f"kill -9 of {who}", f"{statistics.median(one):.1f}", spread(one, ".1f"), begun])
    return Table(
        key="j",
        title="Recovery",
        columns=["while a job runs", "seconds until it is done", "least / median / greatest", "attempts"],
        rows=rows,
        notes=[f"The job alone takes {JOB_SECONDS:g} s; its lease 15 s. Everything serves again before the next kill."],
        data=times,
    )


def once(arena: Arena, victim: str) -> tuple[float, int]:
    """Seconds from the kill to the result, and how often the job was begun."""
    jid = cloud.call(take_a_while, JOB_SECONDS)
    wait_until(lambda: cloud.status(jid) == "processing", timeout=30, what="the job to run")
    began = time.monotonic()
    arena.stack.kill(victim)
    assert cloud.result(jid, timeout=90) == "done"
    seconds = time.monotonic() - began
    arena.stack.wait_healthy(timeout=60)
    attempt: int = cloud.info(jid, ["attempt"])[jid]["attempt"]
    return seconds, attempt
