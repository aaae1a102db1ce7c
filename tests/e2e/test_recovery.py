"""Whatever process is killed outright while jobs run: no accepted job is lost, and none is recorded twice."""

import os
import signal
from pathlib import Path

import pytest
from redis import Redis

from tests.stack import Account, Stack, finish
from tests.waiting import wait_until

JOBS = 60
# Says when all are accepted, then waits for the results as a user would.
MANY = f"""
import cloud, time

def work(n):
    time.sleep(0.1)
    return n * n

jids = cloud.map(work, range({JOBS}))
print("accepted", flush=True)
assert cloud.result(jids, timeout=90) == [n * n for n in range({JOBS})]
infos = cloud.info(jids, ["status", "attempt"])
print("statuses", sorted(set(row["status"] for row in infos.values())))
"""

# Recorded means: one usage record, and one event with the status done.
COUNT = """
from collections import Counter
from jobs.models import Job, JobEvent, UsageRecord
done = Counter()
for event in JobEvent.objects.filter(status="done"):
    done.update(range(event.first_jid, event.last_jid + 1))
print("REPORT", Job.objects.count(), UsageRecord.objects.count(), sorted(set(done.values())), len(done))
"""


def report(stack: Stack) -> str:
    return next(line for line in stack.manage("shell", "-c", COUNT).splitlines() if line.startswith("REPORT"))


def some_are_done(account: Account, stack: Stack) -> None:
    """Waits until the map is under way, seen from the same address as everybody's."""

    def begun() -> bool:
        redis = Redis.from_url(f"unix://{stack.home}/run/redis.sock")
        return bool(redis.ping()) and "processing" in stack.manage(
            "shell", "-c", "from jobs.models import Job; print(*Job.objects.values_list('status', flat=True))"
        )

    wait_until(begun, timeout=30, what="jobs to run")


@pytest.mark.parametrize("victim", ["worker", "web", "clock", "valkey"])
def test_killed_process_loses_nothing_and_doubles_nothing(fresh_stack: Stack, victim: str, tmp_path: Path) -> None:
    account = fresh_stack.account("alice")
    client = account.start(MANY, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    some_are_done(account, fresh_stack)
    fresh_stack.kill(victim)
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(fresh_stack) == f"REPORT {JOBS} {JOBS} [1] {JOBS}"
    fresh_stack.wait_healthy()


def test_emptied_redis_loses_nothing(fresh_stack: Stack, tmp_path: Path) -> None:
    account = fresh_stack.account("alice")
    client = account.start(MANY, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    with Redis.from_url(f"unix://{fresh_stack.home}/run/redis.sock") as redis:
        redis.flushall()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(fresh_stack) == f"REPORT {JOBS} {JOBS} [1] {JOBS}"


def test_result_survives_a_restart_of_everything(fresh_stack: Stack, tmp_path: Path) -> None:
    account = fresh_stack.account("alice")
    client = account.start(MANY, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    fresh_stack.stop()
    fresh_stack.start()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(fresh_stack) == f"REPORT {JOBS} {JOBS} [1] {JOBS}"


def test_job_that_must_not_run_again_is_killed_with_its_worker(fresh_stack: Stack, tmp_path: Path) -> None:
    account = fresh_stack.account("alice")
    script = """
import cloud, time
jid = cloud.call(time.sleep, 600, _restartable=False)
while cloud.status(jid) != "processing":
    time.sleep(0.05)
print("runs", flush=True)
cloud.join(jid, ignore_errors=True, timeout=60)
row = cloud.info(jid, ["status", "reason"])[jid]
print(row["status"], row["reason"])
"""
    client = account.start(script, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "runs\n"
    fresh_stack.kill("worker")
    assert finish(client) == "killed worker_lost\n"


def test_killed_supervisor_leaves_nothing_and_the_next_one_goes_on(fresh_stack: Stack, tmp_path: Path) -> None:
    account = fresh_stack.account("alice")
    client = account.start(MANY, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    assert fresh_stack.process is not None
    fresh_stack.seen |= set(fresh_stack.pids())
    os.kill(fresh_stack.process.pid, signal.SIGKILL)
    fresh_stack.process.wait()
    wait_until(lambda: not any(fresh_stack.left_behind()[kind] for kind in ("processes", "containers")), timeout=10)
    fresh_stack.start()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(fresh_stack) == f"REPORT {JOBS} {JOBS} [1] {JOBS}"
