"""The first call of an account: nothing of it is warm, neither sandbox nor connection nor function."""

import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.arena import Arena, wait_for_spares
from benchmarks.harness.figures import Table, spread
from tests.stack import Account, Stack, stack

ACCOUNTS = 4  # on each stack: two find a spare sandbox, two find that of another account
MAKE = f"""
import json
from io import StringIO
from django.core.management import call_command
made = []
for number in range({ACCOUNTS}):
    answer = StringIO()
    call_command("create_account", f"fresh{{number}}", password="of no use", stdout=answer)
    made.append(json.loads(answer.getvalue()))
print("MADE", json.dumps(made))
"""
FIRST_CALL = """
import time
import cloud

def same(item):
    return item

began = time.perf_counter()
assert cloud.result(cloud.call(same, 1)) == 1
print((time.perf_counter() - began) * 1000)
"""


def first_call(arena: Arena) -> Table:
    """On fresh stacks: only there do spare sandboxes stand ready."""
    times: dict[str, list[float]] = {"a spare sandbox stands ready": [], "another account's is in the way": []}
    ready, in_the_way = times.values()
    for _ in range(1 if arena.quick else min(arena.rounds, 3)):
        with stack() as fresh:
            wait_for_spares(fresh)
            milliseconds = [once(account) for account in accounts(fresh)]
        ready += milliseconds[: ACCOUNTS // 2]
        in_the_way += milliseconds[ACCOUNTS // 2 :]
    rows = [[name, f"{statistics.median(one):.0f}", spread(one, ".0f"), str(len(one))] for name, one in times.items()]
    return Table(
        key="f",
        title="First call of an account",
        columns=["when", "ms", "least / median / greatest", "calls"],
        rows=rows,
        notes=["From `cloud.call` to the result, in a Python that has just started, with `cloud` imported."],
        data=times,
    )


def accounts(fresh: Stack) -> list[Account]:
    lines = fresh.manage("shell", "-c", MAKE).splitlines()
    made = json.loads(next(line for line in lines if line.startswith("MADE")).removeprefix("MADE"))
    return [Account(url=fresh.url, password="", **one) for one in made]


def once(account: Account) -> float:
    with TemporaryDirectory() as directory:
        return float(account.run(FIRST_CALL, cwd=Path(directory)))
