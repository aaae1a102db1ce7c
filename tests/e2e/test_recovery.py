"""Whatever process is killed outright while jobs run: no accepted job is lost, and none is recorded twice."""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from redis import Redis

from tests import stack as stacks
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
name = "{name}"
done = Counter()
for event in JobEvent.objects.filter(status="done", batch__account__username=name):
    done.update(range(event.first_jid, event.last_jid + 1))
records = UsageRecord.objects.filter(account__username=name).count()
print("REPORT", Job.objects.filter(account__username=name).count(), records, sorted(set(done.values())), len(done))
"""
EACH_ONCE = f"REPORT {JOBS} {JOBS} [1] {JOBS}"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One that survives everything that this file does to it."""
    with stacks.stack() as one:
        yield one


@pytest.fixture
def account(stack: Stack) -> Account:
    return stack.account(f"alice-{secrets.token_hex(4)}")


def report(stack: Stack, account: Account) -> str:
    lines = stack.manage("shell", "-c", COUNT.replace("{name}", account.username)).splitlines()
    return next(line for line in lines if line.startswith("REPORT"))


def submit_many(account: Account, cwd: Path) -> "Popen[str]":
    """A client that waits for the results of a map that was accepted."""
    client = account.start(MANY, cwd=cwd)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    return client


def wait_until_some_run(account: Account, cwd: Path) -> None:
    script = f"import cloud\nprint('processing' in cloud.status(list(range(1, {JOBS + 1}))))\n"
    wait_until(lambda: account.run(script, cwd=cwd) == "True\n", timeout=30, what="jobs to run")


@pytest.mark.parametrize("victim", ["worker", "web", "clock", "valkey"])
def test_killed_process_loses_nothing_and_doubles_nothing(
    stack: Stack, account: Account, victim: str, tmp_path: Path
) -> None:
    client = submit_many(account, tmp_path)
    wait_until_some_run(account, tmp_path)
    stack.kill(victim)
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(stack, account) == EACH_ONCE
    stack.wait_healthy()


def test_emptied_redis_loses_nothing(stack: Stack, account: Account, tmp_path: Path) -> None:
    client = submit_many(account, tmp_path)
    with Redis.from_url(f"unix://{stack.home}/run/redis.sock") as redis:
        redis.flushall()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(stack, account) == EACH_ONCE


def test_result_survives_a_restart_of_everything(stack: Stack, account: Account, tmp_path: Path) -> None:
    client = submit_many(account, tmp_path)
    stack.stop()
    stack.assert_nothing_left()
    stack.start()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(stack, account) == EACH_ONCE


def test_long_job_starts_again_after_a_stop(stack: Stack, account: Account, tmp_path: Path) -> None:
    script = """
import cloud, time

def long_at_first():
    import cloud, time
    if cloud.files.exists("begun"):
        return "again"
    cloud.files.putf(b"", "begun")
    time.sleep(600)

jid = cloud.call(long_at_first)
while not cloud.files.exists("begun"):
    time.sleep(0.05)
print("runs", flush=True)
print(cloud.result(jid, timeout=60), [event["name"] for event in cloud.info(jid, "events")[jid]["events"]][2])
"""
    client = account.start(script, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "runs\n"
    stack.stop()
    stack.start()
    assert finish(client) == "again job.given_back\n"


def test_job_that_must_not_run_again_is_killed_with_its_worker(stack: Stack, account: Account, tmp_path: Path) -> None:
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
    stack.kill("worker")
    assert finish(client) == "killed worker_lost\n"


def test_killed_supervisor_leaves_nothing_and_the_next_one_goes_on(
    stack: Stack, account: Account, tmp_path: Path
) -> None:
    client = submit_many(account, tmp_path)
    assert stack.process is not None
    stack.seen |= set(stack.pids())
    os.kill(stack.process.pid, signal.SIGKILL)
    stack.process.wait()
    wait_until(lambda: not stack.left_behind()["processes"], timeout=10, what="all processes to end")
    # Sockets and networks cannot go by themselves, nor can a container that was made and not yet started.
    subprocess.run(["make", "down"], cwd=stacks.CODE, env=stack.env, check=True, capture_output=True)
    stack.assert_nothing_left()
    stack.start()
    assert "statuses ['done']" in finish(client, timeout=100)
    assert report(stack, account) == EACH_ONCE
