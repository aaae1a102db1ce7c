"""Money over HTTP, as the document describes it."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing.services.corrections import correct
from billing.services.statements import close_months
from billing.services.storage import measure_storage
from billing.services.usage import post_usage
from storage.models import StoredFile
from tests.api.test_openapi import check
from tests.billing.using import use
from tests.submitting import Api

pytestmark = pytest.mark.usefixtures("base_environment")
STATEMENT = "/api/v1/billing/statements/{month}"


@pytest.fixture
def march(alice: Any) -> None:
    use(alice, 3_600_000, label="videos", function="encode", module="videos", api_key=3)
    use(alice, 1000, core_type="c2", cores=4, label="cron_nightly", function="report")
    use(alice, 1000, at=timezone.now())
    StoredFile.objects.create(account=alice, name="a", size=10**9, key="a")
    correct(account=alice, amount=Decimal(-1), note="sorry", by=alice, key="a")
    measure_storage()
    post_usage()


def get(api: Api, path: str, described: str = "") -> Any:
    answer = api.get(path)
    check(answer, "GET", described or f"/api/v1/{path.partition('?')[0]}")
    return answer.json()


def test_a_month(alice_api: Api, march: None) -> None:
    found = get(alice_api, "billing?month=2026-03")
    assert (found["month"], found["runs"], found["forecast"]) == ("2026-03", 2, None)
    assert [line["name"] for line in found["by"]["function"]] == ["videos.encode", "videos.report"]
    assert found["by"]["function"][0]["cost"] == "0.05"
    assert [line["name"] for line in found["by"]["cron"]] == [None, "nightly"]
    assert found["days"]["c1"][9] == "0.05"
    assert len(found["days"]["c1"]) == 31


def test_the_present_month_has_a_forecast(alice_api: Api, march: None) -> None:
    found = get(alice_api, "billing")
    assert found["month"] == f"{timezone.now():%Y-%m}"
    assert Decimal(found["forecast"]) >= Decimal(found["cost"])
    assert {line["kind"] for line in found["kinds"]} == {"compute", "correction"}


def test_lines_by_name_and_page(alice_api: Api, march: None) -> None:
    found = get(alice_api, "billing/entries?month=2026-03&limit=1")
    assert len(found["entries"]) == 1
    rest = get(alice_api, f"billing/entries?month=2026-03&before={found['next']}")
    assert (len(rest["entries"]), rest["next"]) == (1, None)
    (line,) = get(alice_api, "billing/entries?month=2026-03&cron=nightly")["entries"]
    assert (line["label"], line["cores"], line["price"], line["core_ms"]) == ("cron_nightly", 4, "0.125", 4000)
    assert get(alice_api, "billing/entries?month=2026-03&label=")["entries"] == []


def test_statements(alice_api: Api, charlie_api: Api, march: None) -> None:
    assert get(alice_api, "billing/statements/2026-03", STATEMENT)["closed"] is None
    close_months()
    assert [row["month"] for row in get(alice_api, "billing/statements")["statements"]] == ["2026-03"]
    found = get(alice_api, "billing/statements/2026-03", STATEMENT)
    assert found["closed"]
    assert found["lines"][0] | {"cost": "", "core_hours": ""} == {
        "kind": "compute", "core_type": "c1", "reservation": None, "quantity": "1", "unit": "core-hours",
        "price": "0.05", "note": None, "runs": 1, "cost": "", "core_hours": "",
    }  # fmt: skip
    assert charlie_api.get("billing/statements/2026-03").json()["error"]["code"] == "statement_unknown"
    present = get(alice_api, f"billing/statements/{timezone.now():%Y-%m}", STATEMENT)
    assert present["lines"][-1]["note"] == "sorry"


def test_a_file_for_spreadsheets(alice_api: Api, march: None) -> None:
    answer = alice_api.get("billing/statements/2026-03/entries.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = answer.getvalue().decode().splitlines()
    assert lines[0].startswith("entry,hour,kind")
    assert len(lines) == 3


def test_rates(alice_api: Api) -> None:
    found = {rate["name"]: rate["prices"] for rate in get(alice_api, "billing/rates")["rates"]}
    assert found["c1"][0]["dollars"] == "0.05"
    assert found["storage"][0] | {"since": ""} == {"dollars": "0", "reserved": None, "since": "", "until": None}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("billing?month=2026-13", "bad_month"),
        ("billing/entries?month=march", "bad_month"),
        ("billing/entries?kind=free", "bad_filter"),
        ("billing/entries?before=x", "bad_number"),
        ("billing/entries?before=7", "entry_unknown"),
        ("billing/statements/x", "bad_month"),
        ("billing/statements/x/entries.csv", "bad_month"),
        ("billing/statements/2026-01", "statement_unknown"),
    ],
)
def test_what_is_refused(alice_api: Api, path: str, code: str) -> None:
    assert alice_api.get(path).json()["error"]["code"] == code
