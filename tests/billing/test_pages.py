"""The pages about money: what they show, to whom, and what leads where."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Kind, LedgerEntry, Rate
from billing.services.corrections import correct
from billing.services.statements import close_months
from billing.services.usage import post_usage
from jobs.services.delete import delete_jobs
from jobs.states import Status
from tests.billing.using import NOON, use
from tests.jobs.rows import make_batch

PAGES = [
    "/billing/",
    "/billing/?month=2026-03",
    "/billing/entries/?month=2026-03",
    "/billing/rates/",
    "/billing/statements/",
    "/billing/statements/2026-03/",
    "/billing/statements/2026-03/entries.csv",
    "/billing/statements/2026-03/entries.json",
]
OPERATORS = ["/operate/billing/"]
MARCH = "/billing/?month=2026-03"


@pytest.fixture
def march(alice: Any, bob: Any) -> None:
    key = alice.api_keys.create(secret_sha256="0" * 64, note="laptop")
    use(alice, 3_600_000, label="videos", function="encode", module="videos", api_key=key.pk)
    use(alice, 1_800_000, label="cron_nightly", function="report", module="", at=NOON + timedelta(days=3))
    use(alice, 3_600_000, core_type="c2", cores=4, function="crunch", module="sums")
    use(bob, 1000, label="bobs-secret")
    post_usage()


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.mark.parametrize("page", PAGES)
def test_each_sees_only_their_own(alice_client: Client, bob_client: Client, page: str, march: None) -> None:
    assert "bobs-secret" not in text(alice_client.get(page))
    others = text(bob_client.get(page))
    assert "sums.crunch" not in others
    assert "laptop" not in others


@pytest.mark.parametrize("page", PAGES + OPERATORS)
def test_nobody_sees_them_without_signing_in(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("page", PAGES + OPERATORS)
def test_they_only_show(alice_client: Client, page: str) -> None:
    assert alice_client.post(page).status_code == 405


def test_a_month_in_figures_chart_and_tables(alice_client: Client, march: None) -> None:
    page = text(alice_client.get(MARCH))
    assert "$0.58" in page  # 0.05 + 0.025 + 0.50, in all
    assert 'aria-label="Used by day in March 2026, $0.58 in all"' in page
    assert "<title>Tue 10 Mar: c2 $0.50</title>" in page
    for title in ("What it was for", "By function", "By label", "By cron", "By API key"):
        assert f">{title}</h2>" in page
    assert "By reservation" not in page
    assert "laptop" in page


def test_the_chart_brings_no_style_or_script_of_its_own(alice_client: Client, march: None) -> None:
    page = text(alice_client.get(MARCH))
    drawing = page[page.index('class="month-chart"') : page.index("The same in numbers")]
    assert "<style" not in drawing
    assert "<script" not in drawing
    assert "style=" not in drawing


def test_cells_lead_to_the_jobs_and_the_lines_behind_them(alice_client: Client, march: None) -> None:
    page = text(alice_client.get(MARCH))
    jobs = "/jobs/?label=cron_nightly&amp;since=2026-03-01&amp;until=2026-03-31"
    assert jobs in page
    assert "report" in text(alice_client.get(jobs.replace("&amp;", "&")))
    lines = "/billing/entries/?month=2026-03&amp;kind=compute&amp;cron=nightly"
    assert lines in page
    found = text(alice_client.get(lines.replace("&amp;", "&")))
    assert "cron_nightly" in found
    assert "crunch" not in found
    assert "$0.025" in found


def test_lines_without_a_name_are_asked_for_by_an_empty_one(alice_client: Client, march: None) -> None:
    found = text(alice_client.get("/billing/entries/?month=2026-03&label="))
    assert "sums.crunch" in found
    assert "videos.encode" not in found


def test_a_line_leads_to_its_jobs_while_they_are_there(alice: Any, alice_client: Client, march: None) -> None:
    page = "/billing/entries/?month=2026-03&function=videos.encode"
    assert 'href="/jobs/1/"' in text(alice_client.get(page))
    delete_jobs(account=alice, jids=[1])
    after = text(alice_client.get(page))
    assert 'href="/jobs/1/"' not in after
    assert "The jobs were deleted" in after


def test_the_present_month_has_a_forecast(alice: Any, alice_client: Client) -> None:
    use(alice, 3_600_000, at=timezone.now() - timedelta(hours=30))
    post_usage()
    page = text(alice_client.get("/billing/"))
    assert "By the end of the month" in page
    assert "so far" in page
    assert "By the end of the month" not in text(alice_client.get(MARCH))


def test_what_runs_now_is_told_apart(alice: Any, alice_client: Client) -> None:
    use(alice, 3_600_000)
    post_usage()
    assert "Running now" not in text(alice_client.get("/billing/"))
    hour_ago = timezone.now() - timedelta(hours=1)
    make_batch(alice, statuses=(Status.PROCESSING,), created_at=hour_ago, job={"worker": "w1", "price_micros": 50_000})
    page = text(alice_client.get("/billing/"))
    assert "Running now" in page
    assert "$0.05" in page


def test_a_month_without_anything_says_what_to_do(alice_client: Client) -> None:
    assert "import cloud" in text(alice_client.get("/billing/"))
    assert "Nothing was charged in March 2026" in text(alice_client.get(MARCH))


@pytest.mark.parametrize(
    "query", ["month=2026-13", "month=0001-01", "month=9999-12", "month=x", "month=2026-1", "month=２０２６-03"]
)
def test_a_month_that_is_none(alice_client: Client, query: str) -> None:
    answer = alice_client.get(f"/billing/?{query}")
    assert answer.status_code == 400
    assert "A month is written as 2026-11" in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    ["kind=free", "api_key=x", "reservation=-1", "before=x", "before=999999", "label=%00", "function=" + "x" * 500],
)
def test_lines_that_cannot_be_asked_for(alice_client: Client, query: str) -> None:
    assert alice_client.get(f"/billing/entries/?{query}").status_code in (400, 404)


def test_lines_come_in_pages(alice: Any, alice_client: Client) -> None:
    for n in range(60):
        use(alice, 1000, label=f"label-{n:02}", at=NOON + timedelta(hours=n))
    post_usage()
    first = text(alice_client.get("/billing/entries/?month=2026-03"))
    assert "label-59" in first
    assert "label-09" not in first
    older = first[first.index("before=") :].partition('"')[0]
    second = text(alice_client.get(f"/billing/entries/?month=2026-03&{older}"))
    assert "label-09" in second
    assert "label-59" not in second


def test_a_page_costs_the_same_for_few_and_many(alice: Any, alice_client: Client) -> None:
    use(alice, 1000, label="x0")
    post_usage()
    costs = []
    # More names than a table shows are summed up, by one statement for each table.
    for number in (1, 18):
        for n in range(number):
            use(alice, 1000, label=f"x{n}", function=f"f{n}", at=NOON + timedelta(hours=n))
        post_usage()
        for page in (MARCH, "/billing/entries/?month=2026-03", "/billing/statements/2026-03/"):
            with CaptureQueriesContext(
                connection,
            ) as seen:
                alice_client.get(page)
            costs.append(len(seen))
    assert costs[:3] == costs[3:]


# -- statements and files ----------------------------------------------------------------------


def test_a_statement_is_preliminary_until_its_month_is_closed(alice_client: Client, march: None) -> None:
    assert "Preliminary" in text(alice_client.get("/billing/statements/2026-03/"))
    close_months()
    page = text(alice_client.get("/billing/statements/2026-03/"))
    assert "it does not change any more" in page
    assert "10.00" not in page
    assert "March 2026" in text(alice_client.get("/billing/statements/"))


def test_there_is_no_statement_of_somebody_else(charlie_client: Client, march: None) -> None:
    close_months()
    assert charlie_client.get("/billing/statements/2026-03/").status_code == 404


def test_a_file_for_spreadsheets(alice_client: Client, march: None) -> None:
    answer = alice_client.get("/billing/statements/2026-03/entries.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="picloud-2026-03.csv"'
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert [row["function"] for row in rows] == ["videos.encode", "sums.crunch", "report"]
    assert sum(Decimal(row["cost"]) for row in rows) == Decimal("0.575")
    assert (rows[0]["core_ms"], rows[0]["price"], rows[0]["hour"]) == ("3600000", "0.05", "2026-03-10T13:00:00+00:00")


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(1)"])
def test_no_cell_is_a_formula(alice: Any, alice_client: Client, label: str) -> None:
    use(alice, 1000, label=label, function=label, module="")
    post_usage()
    correct(account=alice, amount=Decimal(-1), note=label, by=alice, key="a")
    present = f"{timezone.now():%Y-%m}"
    found = text(alice_client.get("/billing/statements/2026-03/entries.csv"))
    (row,) = csv.DictReader(io.StringIO(found))
    assert row["label"] == row["function"] == f"'{label}"
    (row,) = csv.DictReader(io.StringIO(text(alice_client.get(f"/billing/statements/{present}/entries.csv"))))
    # A negative number is a number.
    assert (row["note"], row["cost"]) == (f"'{label}", "-1")
    found = json.loads(text(alice_client.get("/billing/statements/2026-03/entries.json")))
    assert found["entries"][0]["label"] == label


def test_the_same_as_json(alice: Any, alice_client: Client, march: None) -> None:
    found = json.loads(text(alice_client.get("/billing/statements/2026-03/entries.json")))
    assert (found["account"], found["month"], len(found["entries"])) == ("alice", "2026-03", 3)
    assert [entry["cost"] for entry in found["entries"]] == ["0.05", "0.5", "0.025"]
    empty = json.loads(text(alice_client.get("/billing/statements/2025-03/entries.json")))
    assert empty["entries"] == []


def test_labels_are_shown_and_not_run(alice: Any, alice_client: Client) -> None:
    use(alice, 1000, label="<script>alert(1)</script>", function="<b>", module="")
    post_usage()
    for page in (MARCH, "/billing/entries/?month=2026-03", "/billing/statements/2026-03/"):
        assert "<script>alert" not in text(alice_client.get(page))


def test_rates_say_what_is_in_force_was_and_will_be(alice_client: Client) -> None:
    Rate.objects.create(kind="storage", micros=150_000, effective_from=timezone.now() + timedelta(days=2))
    page = text(alice_client.get("/billing/rates/"))
    for words in ("$0.05", "$0.125", "free", "$0.15 from"):
        assert words in page


# -- the operator ------------------------------------------------------------------------------


@pytest.fixture
def olga(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def test_others_are_not_told_of_the_operators_page(alice_client: Client) -> None:
    assert alice_client.get("/operate/billing/").status_code == 404
    assert alice_client.post("/operate/billing/reconcile/").status_code == 404
    assert "/operate/billing/" not in text(alice_client.get("/billing/"))


def test_the_operator_sees_all_accounts_and_whether_the_books_are_right(olga: Client, march: None) -> None:
    page = text(olga.get("/operate/billing/?month=2026-03"))
    assert "alice" in page
    assert "bob" in page
    assert "Not compared yet" in page
    answer = olga.post("/operate/billing/reconcile/", follow=True)
    assert "the difference is 0" in text(answer)
    assert "Difference 0" in text(answer)


def test_the_operator_is_told_what_is_wrong(olga: Client, alice: Any, march: None) -> None:
    from jobs.models import UsageRecord

    UsageRecord.objects.filter(account=alice, jid=1).update(run_ms=1)
    page = text(olga.post("/operate/billing/reconcile/", follow=True))
    assert "The ledger is not what usage says" in page
    assert "alice: 3 runs used for" in page


def test_credits_are_negative(alice: Any, alice_client: Client) -> None:
    correct(account=alice, amount=Decimal(-5), note="Welcome", by=alice, key="a", kind=Kind.CREDIT)
    assert "−$5.00" in text(alice_client.get("/billing/"))
    assert LedgerEntry.objects.get().amount == -5
