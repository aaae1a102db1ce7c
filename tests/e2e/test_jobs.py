"""Jobs from a client in a process of its own, through everything, in containers."""

from pathlib import Path

import pytest

from tests.stack import Account, Stack, finish


def test_job_submits_a_job_and_waits_for_it(account: Account, tmp_path: Path) -> None:
    script = """
import cloud

def inner(x):
    return x + 1

def outer(x):
    import cloud
    return cloud.result(cloud.call(inner, x)) * 10

print(cloud.result(cloud.call(outer, 1), timeout=60))
"""
    assert account.run(script, cwd=tmp_path) == "20\n"


def test_short_job_of_one_account_does_not_wait_for_the_backlog_of_another(stack: Stack, tmp_path: Path) -> None:
    greedy, modest = stack.account("greedy"), stack.account("modest")
    backlog = """
import cloud, time
jids = cloud.map(lambda n: time.sleep(0.25), range(120))
print("accepted", flush=True)
time.sleep(3)
input_left = cloud.status(jids).count("queued")
cloud.kill(jids)
print(input_left)
"""
    one = """
import cloud, time
began = time.monotonic()
cloud.result(cloud.call(lambda: None), timeout=60)
print(time.monotonic() - began)
"""
    client = greedy.start(backlog, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "accepted\n"
    waited = float(modest.run(one, cwd=tmp_path))
    left = int(finish(client))
    assert left > 60
    assert waited < 3


def test_running_job_that_ignores_sigterm_is_killed_within_five_seconds(account: Account, tmp_path: Path) -> None:
    script = """
import cloud, time

def stubborn():
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(600)

jid = cloud.call(stubborn)
while "deaf" not in (cloud.info(jid, "stdout")[jid]["stdout"] or ""):
    time.sleep(0.05)
began = time.monotonic()
cloud.kill(jid)
cloud.join(jid, ignore_errors=True, timeout=20)
row = cloud.info(jid, ["status", "reason"])[jid]
print(row["status"], row["reason"], time.monotonic() - began < 5)
"""
    assert account.run(script, cwd=tmp_path) == "killed user True\n"


def test_jobs_run_in_the_order_of_their_dependencies_and_stall_on_a_failed_one(
    account: Account, tmp_path: Path
) -> None:
    script = """
import cloud, time
first = cloud.call(time.sleep, 0.3)
second = cloud.call(lambda: "second", _depends_on=first)
print(cloud.result(second, timeout=60), cloud.status(first))
broken = cloud.call(lambda: 1 / 0)
after = cloud.call(lambda: 1, _depends_on=broken)
anyway = cloud.call(lambda: "anyway", _depends_on=broken, _depends_on_errors="ignore")
print(cloud.result(anyway, timeout=60))
cloud.join(after, ignore_errors=True, timeout=60)
print(cloud.status([broken, after]))
"""
    assert account.run(script, cwd=tmp_path) == "second done\nanyway\n['error', 'stalled']\n"


def test_nothing_of_a_job_is_left_for_the_next(account: Account, tmp_path: Path) -> None:
    script = """
import cloud

def leave():
    import os, pathlib, subprocess
    pathlib.Path("left.txt").write_text("x")
    pathlib.Path("/tmp/left.txt").write_text("x")
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    return os.getcwd()

def look():
    import os, pathlib
    processes = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    return os.listdir("."), os.listdir("/tmp"), any(b"sleep" in p for p in processes)

home = cloud.result(cloud.call(leave), timeout=60)
print(home, *cloud.result(cloud.call(look), timeout=60))
"""
    assert account.run(script, cwd=tmp_path) == "/home/picloud [] [] False\n"


# What a job may do to itself, and how it may end.
BAD = {
    "exception": ("1 / 0", {"error exception"}),
    "sys.exit": ("import sys; sys.exit(3)", {"error exited"}),
    "os._exit": ("import os; os._exit(0)", {"error exited"}),
    "segfault": ("import ctypes; ctypes.string_at(0)", {"error crashed"}),
    "unpicklable result": ("import threading; return threading.Lock()", {"error bad_result"}),
    "fills memory": ("x = []\n    while True: x.append(b'x' * 10**7)", {"killed out_of_memory"}),
    "closes its stdout": ("import os; os.close(1); os.close(2); return 1", {"done "}),
    "invalid UTF-8": ("import sys; sys.stdout.buffer.write(bytes(range(256))); return 1", {"done "}),
    "prints 100 MB": ("import os\n    for _ in range(1600): os.write(1, b'y' * 65535 + b'\\n')", {"done "}),
    "children that outlive it": ("import subprocess; subprocess.Popen(['sleep', '600']); return 1", {"done "}),
    # Whichever limit comes first: that of processes, or that of memory.
    "forks endlessly": (
        "import os, time\n    while True: os.fork() or time.sleep(60)",
        {"error exception", "killed out_of_memory"},
    ),
    "fills its disk": (
        "f = open('big', 'wb')\n    while True: f.write(b'x' * 10**7)",
        {"error out_of_disk", "killed out_of_disk"},
    ),
    "runs too long": ("import time; time.sleep(600)", {"killed max_runtime"}),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_job_ends_as_it_should_and_the_next_runs(account: Account, what: str, tmp_path: Path) -> None:
    body, expected = BAD[what]
    options = ", _max_runtime=0.02" if what == "runs too long" else ""
    script = f"""
import cloud

def bad():
    {body}

jid = cloud.call(bad{options})
cloud.join(jid, ignore_errors=True, timeout=90)
row = cloud.info(jid, ["status", "reason"])[jid]
print(row["status"], row["reason"])
print(cloud.result(cloud.call(lambda: 42), timeout=60))
"""
    first, second = account.run(script, cwd=tmp_path, timeout=150).splitlines()
    assert second == "42"
    assert first in expected


def test_time_limit_does_not_touch_its_neighbours(account: Account, tmp_path: Path) -> None:
    script = """
import cloud, time
jids = cloud.map(lambda s: time.sleep(s) or s, [0, 600, 0.1], _max_runtime=0.03)
cloud.join(jids, ignore_errors=True, timeout=60)
print(cloud.status(jids))
"""
    assert account.run(script, cwd=tmp_path) == "['done', 'killed', 'done']\n"


def test_map_ends_when_it_has_cost_what_it_may(account: Account, tmp_path: Path) -> None:
    script = """
import cloud, time
jids = cloud.map(lambda s: time.sleep(s) or s, [0, 600, 600, 600, 600], _max_cost=0.00005)
cloud.join(jids, ignore_errors=True, timeout=90)
rows = cloud.info(jids, ["status", "reason", "cost"])
print([(row["status"], row["reason"]) for row in rows.values()])
print(sum(float(row["cost"] or 0) for row in rows.values()))
try:
    cloud.result(jids[-1])
except cloud.CloudException as failure:
    print(failure.reason, failure.hint)
print(cloud.result(cloud.call(lambda: 42), timeout=60))
"""
    ends, cost, failure, after = account.run(script, cwd=tmp_path, timeout=150).splitlines()
    assert ends == str([("done", ""), *[("killed", "cost_limit")] * 4])
    # 3.6 seconds of a core at five cents an hour; two cores may each go over by a second, and by two of grace.
    assert 0.00004 < float(cost) < 0.00005 + 2 * 3 * 0.05 / 3600
    assert failure == ("cost_limit Raise _max_cost (dollars), or leave it out for no limit; what was done is kept.")
    assert after == "42"
