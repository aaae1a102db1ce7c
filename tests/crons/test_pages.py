"""The pages about crons, at the addresses that browsers ask."""

from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crons.models import Cron, CronRun
from crons.services import change
from crons.states import Outcome, Verdict
from jobs.models import Job, JobResult
from jobs.states import Status
from tests.crons.making import make
from tests.crons.rows import make_day, make_run
from tests.jobs.rows import job_of, make_batch

pytestmark = pytest.mark.usefixtures("base_environment")

PREVIEW = {"HTTP_HX-Request": "true", "HTTP_HX-Target": "preview"}
ODD_LABELS = ['a\'b "c"', "<b>bold</b>".replace("/", "|"), "50% of ?x=1&y#z", "x" * 195, "-", "..."]


def page_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.content.decode()


def post(client: Client, path: str, status: int = 302, **data: Any) -> str:
    response = client.post(path, data)
    assert response.status_code == status, response.content
    return unescape(response.content.decode())


# -- the list ----------------------------------------------------------------------------------


def test_empty_list_shows_how_to_begin_without_a_secret(alice_client: Client) -> None:
    page = page_of(alice_client, "/crons/")
    assert "No crons yet" in page
    assert "cloud.cron.register(hello, &quot;hello&quot;, &quot;* * * * *&quot;)" in page
    assert "secret" not in page


def test_line_says_when_how_it_went_and_what_it_costs(alice: Any, alice_client: Client) -> None:
    cron = make(alice, "tweet", "30 4 * * *", timezone="Europe/Berlin")
    make_run(cron, timezone.now() - timedelta(hours=2), verdict=Verdict.FAILED)
    make_run(cron, timezone.now() - timedelta(hours=1), run_ms=2500)
    make_day(cron, n_ok=1, n_failed=1, charge=3_600_000 * 500_000)
    page = page_of(alice_client, "/crons/")
    for said in ("Every day at 04:30", "30 4 * * *", "Europe/Berlin", "Ok · 2.5 s", "$0.50", "data-until"):
        assert said in page
    assert "Last 2 runs: 1 ok, 1 failed; the newest ok" in page
    assert "/jobs/?label=cron_tweet" in page


def test_list_asks_as_much_for_one_cron_as_for_forty(alice: Any, alice_client: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page_of(alice_client, "/crons/")
        return len(asked)

    def fill(number: int) -> None:
        for n in range(number):
            cron = make(alice, f"cron{number}-{n}", "@daily")
            make_run(cron, job=job_of(make_batch(alice, statuses=(Status.QUEUED,))), verdict="")
            make_day(cron, n_ok=1, charge=5)

    fill(1)
    page_of(alice_client, "/crons/")
    few = questions()
    fill(40)
    assert (questions(), few <= 10) == (few, True)


def test_list_goes_on_after_fifty(alice: Any, alice_client: Client) -> None:
    for n in range(51):
        make(alice, f"line-{n:02}", "@daily")
    first, second = page_of(alice_client, "/crons/"), page_of(alice_client, "/crons/?after=line-49")
    assert ("line-49" in first, "line-50" in first, "?after=line-49" in first) == (True, False, True)
    assert ("line-49/" in second, "line-50" in second) == (False, True)


def test_list_is_searched_by_label_and_function(alice: Any, bob: Any, alice_client: Client) -> None:
    for account, label in ((alice, "nightly backup"), (alice, "tweet"), (bob, "backup of bob")):
        make(account, label, "@daily")
    found = page_of(alice_client, "/crons/?text=BACK")
    assert ("nightly backup" in found, ">tweet<" in found, "bob" in found) == (True, False, False)
    function = str(Cron.objects.get(label="tweet").function.name)
    assert ">tweet<" in page_of(alice_client, f"/crons/?text={function}")
    nothing = page_of(alice_client, "/crons/?text=50%25_%00%3Cb%3E")
    assert "No cron has" in nothing
    assert "<b>" not in nothing


def test_strip_tells_every_kind_of_run(alice: Any, alice_client: Client) -> None:
    cron, now = make(alice), timezone.now()
    make_run(cron, now - timedelta(minutes=1), verdict=Verdict.FAILED)
    make_run(cron, now - timedelta(minutes=2), verdict=Verdict.KILLED)
    make_run(cron, now - timedelta(minutes=3), is_late=True)
    make_run(cron, now - timedelta(minutes=4), outcome=Outcome.MISSED, instants=12)
    make_run(cron, now - timedelta(minutes=5), outcome=Outcome.SKIPPED)
    make_run(cron, now - timedelta(minutes=6), verdict=Verdict.TOO_LONG)
    make_run(cron, now - timedelta(minutes=7), verdict="", job=job_of(make_batch(alice, statuses=(Status.QUEUED,))))
    page = page_of(alice_client, "/crons/tweet/")
    for said in (
        "Failed",
        "Killed",
        "Late",
        "Missed · 12 times",
        "Skipped · an earlier one ran",
        "max run time",
        "Queued",
    ):
        assert said in page


# -- one cron ----------------------------------------------------------------------------------


def test_page_says_how_it_was_registered(alice: Any, alice_client: Client) -> None:
    make(alice)
    make(alice)
    page = page_of(alice_client, "/crons/tweet/")
    assert "<dt>Version</dt><dd>2 " in page
    for said in ("videos", "encode", "laptop", "registered", "replaced"):
        assert said in page


def test_page_shows_what_the_last_failure_said(alice: Any, alice_client: Client) -> None:
    cron = make(alice)
    job = job_of(make_batch(alice, statuses=(Status.ERROR,)))
    JobResult.objects.create(job=job, is_exception=True, error_text="Traceback\n<script>no</script>\nValueError: 42")
    make_run(cron, verdict=Verdict.FAILED, job=job)
    page = page_of(alice_client, "/crons/tweet/")
    assert "ValueError: 42" in page
    assert "<script>no" not in page
    assert f"/jobs/{job.jid}/" in page


def test_history_goes_back_page_by_page(alice: Any, alice_client: Client) -> None:
    cron, now = make(alice), timezone.now()
    for n in range(60):
        make_run(cron, now - timedelta(minutes=n), jid=1000 + n)
    first = page_of(alice_client, "/crons/tweet/")
    oldest = CronRun.objects.order_by("-scheduled_at")[49]
    assert (">1049<" in first, ">1050<" in first, f"?before={oldest.pk}#" in first) == (True, False, True)
    second = page_of(alice_client, f"/crons/tweet/?before={oldest.pk}")
    assert (">1049<" in second, ">1050<" in second, ">1059<" in second) == (False, True, True)


@pytest.mark.parametrize(("before", "status"), [("x", 400), ("-1", 400), ("9" * 30, 400), ("999999", 404)])
def test_history_from_nowhere_is_a_sentence(alice: Any, alice_client: Client, before: str, status: int) -> None:
    make(alice)
    assert alice_client.get(f"/crons/tweet/?before={before}").status_code == status


def test_deleted_job_leaves_its_number(alice: Any, alice_client: Client) -> None:
    cron = make(alice)
    make_run(cron, jid=77)
    page = page_of(alice_client, "/crons/tweet/")
    assert 'title="The job was deleted">77<' in page


def test_calendar_tells_each_day(alice: Any, alice_client: Client) -> None:
    cron = make(alice)
    make_day(cron, n_ok=3)
    make_day(cron, 1, n_ok=3, n_failed=1)
    make_day(cron, 2, n_missed=4)
    make_day(cron, 3, n_late=1, n_ok=1)
    page = page_of(alice_client, "/crons/tweet/")
    assert "1 all well, 1 some late, 1 some failed or missed, 1 none went well" in page


@pytest.mark.parametrize("label", ODD_LABELS)
def test_odd_labels_have_pages(alice: Any, alice_client: Client, label: str) -> None:
    make(alice, label)
    assert label in unescape(page_of(alice_client, "/crons/"))
    assert "<b>" not in page_of(alice_client, "/crons/")
    for rest in ("", "edit/", "remove/"):
        assert label in unescape(page_of(alice_client, f"/crons/{quote(label, safe='')}/{rest}"))
    post(alice_client, f"/crons/{quote(label, safe='')}/run/")
    assert Job.objects.get().batch.label == f"cron_{label}"
    address = reverse("crons:detail", args=[label])
    assert f'Run of cron <a href="{escape(address)}">' in page_of(alice_client, "/jobs/1/")


@pytest.mark.parametrize("label", ["nightly", "x" * 300, "a\nb", "%00", "✓", "..%2f..", "' OR 1=1 --"])
def test_unknown_label_is_a_page_that_says_so(alice_client: Client, label: str) -> None:
    for rest in ("", "edit/", "remove/"):
        assert alice_client.get(f"/crons/{quote(label)}/{rest}").status_code == 404


# -- acts --------------------------------------------------------------------------------------


def test_run_now_starts_a_job_and_comes_back(alice: Any, alice_client: Client) -> None:
    make(alice)
    response = alice_client.post("/crons/tweet/run/", {"next": "/crons/"}, follow=True)
    assert response.redirect_chain == [("/crons/", 302)]
    assert "tweet runs now, as job 1." in response.content.decode()
    assert Job.objects.get().batch.label == "cron_tweet"


def test_pause_and_resume(alice: Any, alice_client: Client) -> None:
    make(alice)
    post(alice_client, "/crons/tweet/pause/")
    page = page_of(alice_client, "/crons/tweet/")
    assert "None while it is paused" in page
    assert "/crons/tweet/resume/" in page
    post(alice_client, "/crons/tweet/resume/")
    assert Cron.objects.get().next_at is not None


def test_acts_lead_to_no_other_site(alice: Any, alice_client: Client) -> None:
    make(alice)
    for bad in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        assert alice_client.post("/crons/tweet/pause/", {"next": bad})["Location"] == "/crons/tweet/"


def test_alerts_are_switched(alice: Any, alice_client: Client) -> None:
    make(alice)
    post(alice_client, "/crons/tweet/alerts/", alerts="off")
    assert Cron.objects.get().alerts is False
    assert "not mailed" in page_of(alice_client, "/crons/tweet/")
    post(alice_client, "/crons/tweet/alerts/", alerts="on")
    assert Cron.objects.get().alerts is True


def test_removing_asks_first_and_keeps_the_jobs(alice: Any, alice_client: Client) -> None:
    make(alice)
    post(alice_client, "/crons/tweet/run/")
    page = page_of(alice_client, "/crons/tweet/remove/")
    assert "Its history, calendar and state are removed" in page
    assert Cron.objects.exists()
    post(alice_client, "/crons/tweet/remove/")
    assert (Cron.objects.count(), Job.objects.count()) == (0, 1)
    assert alice_client.post("/crons/tweet/remove/").status_code == 404


ACTS = ["run/", "pause/", "resume/", "alerts/", "options/"]


@pytest.mark.parametrize("act", ACTS)
def test_acts_are_posted(alice: Any, alice_client: Client, act: str) -> None:
    make(alice)
    assert alice_client.get(f"/crons/tweet/{act}").status_code == 405


@pytest.mark.parametrize("act", [*ACTS, "edit/", "remove/"])
@pytest.mark.parametrize("who", ["bob_client", "charlie_client"])
def test_others_are_told_it_does_not_exist(request: pytest.FixtureRequest, alice: Any, who: str, act: str) -> None:
    cron = make(alice)
    assert request.getfixturevalue(who).post(f"/crons/tweet/{act}", {"schedule": "@daily"}).status_code == 404
    assert list(Cron.objects.values_list("schedule", "paused_at")) == [(cron.schedule, None)]


@pytest.mark.parametrize("act", [*ACTS, "edit/", "remove/"])
def test_other_sites_cannot_act(alice: Any, act: str) -> None:
    make(alice)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(f"/crons/tweet/{act}").status_code == 403


# -- another schedule --------------------------------------------------------------------------


def test_schedule_is_changed(alice: Any, alice_client: Client) -> None:
    make(alice)
    post(alice_client, "/crons/tweet/edit/", schedule=" 0  6 * * mon ", timezone="America/New_York")
    cron = Cron.objects.get()
    assert (cron.schedule, cron.timezone) == ("0 6 * * mon", "America/New_York")
    assert cron.next_at is not None


@pytest.mark.parametrize(
    ("schedule", "zone", "said"),
    [
        ("* * * * * *", "UTC", "6 fields"),
        ("0 0 30 2 *", "UTC", "never fires"),
        ("H * * * *", "UTC", "random and hashed"),
        ("61 * * * *", "UTC", "61 is not between 0 and 59"),
        ("@daily", "Europe/Berln", "did you mean Europe/Berlin?"),
        ("", "UTC", "This field is required"),
        ("* " * 500, "UTC", "characters"),
        ("<script>", "UTC", "needs five"),
    ],
)
def test_bad_schedule_is_a_sentence_and_changes_nothing(
    alice: Any, alice_client: Client, schedule: str, zone: str, said: str
) -> None:
    make(alice, "tweet", "@hourly")
    page = post(alice_client, "/crons/tweet/edit/", 400, schedule=schedule, timezone=zone)
    assert said in page
    assert Cron.objects.get().schedule == "@hourly"


def test_preview_without_script_changes_nothing(alice: Any, alice_client: Client) -> None:
    make(alice, "tweet", "@hourly")
    data = {"schedule": "15 4 * * *", "timezone": "Asia/Tokyo", "preview": "yes"}
    page = post(alice_client, "/crons/tweet/edit/", 200, **data)
    assert ("Every day at 04:15" in page, page.count("04:15 JST"), 'value="15 4 * * *"' in page) == (True, 10, True)
    assert Cron.objects.get().schedule == "@hourly"


def test_preview_is_a_part_for_htmx(alice: Any, alice_client: Client) -> None:
    make(alice)
    alice.time_zone = "Europe/Berlin"
    alice.save()
    answer = alice_client.get("/crons/tweet/edit/?schedule=0+12+*+*+*&timezone=Asia/Tokyo", **PREVIEW)
    part = answer.content.decode()
    assert ("<html" in part, part.count("12:00 JST"), "Where you are" in part, "CE" in part) == (False, 10, True, True)
    bad = alice_client.get("/crons/tweet/edit/?schedule=0+12&timezone=Asia/Tokyo", **PREVIEW)
    assert (bad.status_code, "needs five" in bad.content.decode()) == (200, True)


def test_preview_marks_the_nights_on_which_clocks_change(alice: Any, alice_client: Client) -> None:
    make(alice)
    for month, said in ((3, "clocks go forward 1 h"), (10, "clocks go back 1 h")):
        path = f"/crons/tweet/edit/?schedule=30+2+25-31+{month}+*&timezone=Europe/Berlin"
        assert alice_client.get(path, **PREVIEW).content.decode().count(said) >= 1


def test_options_are_changed(alice: Any, alice_client: Client) -> None:
    make(alice)
    post(alice_client, "/crons/tweet/options/", overlap="skip", catch_up="none", start_grace="1.5")
    cron = Cron.objects.get()
    assert (cron.overlap, cron.catch_up, cron.start_grace_s) == ("skip", "none", 90)


@pytest.mark.parametrize("grace", ["0", "-3", "nan", "inf", "1e300", "soon", "20000"])
def test_bad_grace_is_a_sentence(alice: Any, alice_client: Client, grace: str) -> None:
    make(alice)
    page = post(alice_client, "/crons/tweet/options/", 400, overlap="skip", catch_up="none", start_grace=grace)
    assert "errorlist" in page
    assert Cron.objects.get().overlap == "allow"


# -- schedule this -----------------------------------------------------------------------------

TERMS = {"schedule": "@daily", "timezone": "UTC", "overlap": "allow", "catch_up": "last", "start_grace": "5"}


@pytest.fixture
def job(alice_api: Any) -> int:
    return int(alice_api.submit(options={"label": "nightly / <b>"}).json()["first_jid"])


def test_job_page_leads_to_a_cron(alice_client: Client, job: int) -> None:
    assert f"/jobs/{job}/schedule/" in page_of(alice_client, f"/jobs/{job}/")
    assert 'value="nightly  b"' in page_of(alice_client, f"/jobs/{job}/schedule/")
    post(alice_client, f"/jobs/{job}/schedule/", label="nightly", **TERMS)
    cron = Cron.objects.get()
    assert (cron.label, cron.schedule, cron.function.name) == ("nightly", "@daily", "encode")
    assert "From job 1." in page_of(alice_client, "/crons/nightly/")


def test_label_that_is_taken_is_replaced_only_when_said(alice: Any, alice_client: Client, job: int) -> None:
    make(alice, "nightly", "@hourly")
    page = post(alice_client, f"/jobs/{job}/schedule/", 400, label="nightly", **TERMS)
    assert "There is a cron of this label" in page
    assert Cron.objects.get().schedule == "@hourly"
    post(alice_client, f"/jobs/{job}/schedule/", label="nightly", replace="on", **TERMS)
    assert (Cron.objects.get().schedule, Cron.objects.get().registration) == ("@daily", 2)


@pytest.mark.parametrize("label", ["", " ", "a/b", "x" * 300, "..", "a\nb", "é", "a\x00b"])
def test_bad_label_is_a_sentence(alice_client: Client, job: int, label: str) -> None:
    assert "errorlist" in post(alice_client, f"/jobs/{job}/schedule/", 400, label=label, **TERMS)
    assert not Cron.objects.exists()


def test_strangers_job_cannot_be_scheduled(charlie_client: Client, job: int) -> None:
    assert charlie_client.get(f"/jobs/{job}/schedule/").status_code == 404
    assert charlie_client.post(f"/jobs/{job}/schedule/", {"label": "x", **TERMS}).status_code == 404
    assert charlie_client.get(f"/jobs/{'9' * 40}/schedule/").status_code == 404


def test_times_are_told_on_the_crons_clock(alice: Any, alice_client: Client) -> None:
    cron = make(alice, timezone="Asia/Tokyo")
    make_run(cron, datetime(2026, 7, 1, 3, 0, tzinfo=UTC))
    assert "Wed 1 Jul 2026 12:00 JST" in page_of(alice_client, "/crons/tweet/")


def test_paused_and_failing_are_both_said(alice: Any, alice_client: Client) -> None:
    make(alice)
    change.pause(account=alice, label="tweet")
    Cron.objects.update(state="failing")
    page = page_of(alice_client, "/crons/")
    assert "Paused" in page
    assert "failing" in page
