"""A budget through a whole stack: what runs is counted, new jobs are held, and go on when somebody lets them."""

from pathlib import Path

from tests.stack import Stack

PRICE = "from jobs.models import CorePrice; CorePrice.objects.create(core_type_id='s1', per_core_hour=1000)"
SCRIPT = """
import cloud, time
from cloud.cli.main import run

def until(true):
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.2)

assert run(["budget", "set", "0.05", "--no-mails"]) == 0
cloud.join(cloud.call(time.sleep, 0.5, _type="s1"), timeout=60)
# The clock comes by within seconds; what is submitted before is taken back, or has run.
held = []
def is_held():
    held.append(cloud.call(time.sleep, 0, _type="s1"))
    time.sleep(0.5)
    return cloud.info(held[-1], ["reason"])[held[-1]]["reason"] == "budget"
until(is_held)
row = cloud.info(held[-1], ["status", "held_by"])[held[-1]]
print(row["status"], row["held_by"], sep="|")
run(["--output", "no-header", "budget", "held"])
number = cloud._client.request_json("GET", "/api/v1/budgets")["budgets"][0]["budget"]
assert run(["budget", "waive", str(number)]) == 0
cloud.join(held, timeout=60)
print(cloud.status(held[-1]))
assert run(["budget", "remove", str(number), "--yes"]) == 0
"""


def test_spent_budget_holds_jobs_until_somebody_lets_them(stack: Stack, tmp_path: Path) -> None:
    # A core type that no other test uses: the stack is everybody's.
    stack.manage("shell", "-c", PRICE)
    told = stack.account("thrifty").run(SCRIPT, cwd=tmp_path, timeout=180).splitlines()
    assert any(line.startswith("waiting|The budget of the whole account, $0.05 a month, is spent.") for line in told)
    assert any(line.startswith("budget") and "budget waive" in line for line in told)
    assert told[-1] == "done"
