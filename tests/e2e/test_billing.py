"""What jobs cost, from a run to the line that charges for it, through a whole stack."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.stack import Account, Stack
from tests.waiting import wait_until

RUN = """
import cloud, time
jids = cloud.map(lambda s: time.sleep(s), [0.2, 0.3], _label="bill-me")
cloud.result(jids)
print(sum(float(job["cost"]) for job in cloud.info(jids, ["cost"]).values()))
"""


def test_runs_are_charged_within_seconds_as_their_jobs_say(stack: Stack, account: Account, tmp_path: Path) -> None:
    def picloud(*words: str) -> str:
        return account.run(f"from cloud.cli.main import main; main({list(words)!r})", cwd=tmp_path)

    def line() -> dict[str, str]:
        found = json.loads(picloud("billing", "--by", "label", "--output", "json"))
        return next((row for row in found if row["name"] == "bill-me"), {})

    cost = float(account.run(RUN, cwd=tmp_path))
    wait_until(lambda: line().get("runs") == 2, what="two runs on the bill")
    found = line()
    assert float(found["cost"]) == pytest.approx(cost)
    assert cost > 0
    rows = list(csv.DictReader(io.StringIO(picloud("billing", "--csv"))))
    assert sum(Decimal(row["cost"]) for row in rows if row["label"] == "bill-me") == Decimal(found["cost"])
    assert "bill-me" in picloud("billing", "--by", "label")
    assert picloud("billing").startswith("month")
    assert "c1" in picloud("rates")
    assert picloud("statements").split() == ["month", "closed", "entries", "cost"]
