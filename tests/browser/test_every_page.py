"""Every page, in both looks and on a phone: nothing that axe finds, nothing wider than the screen."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from billing.models import Brake, Budget, Rate
from billing.services.brake import check_keys
from billing.services.corrections import correct
from billing.services.enforce import check_budgets
from billing.services.reconcile import reconcile
from billing.services.storage import measure_storage
from billing.services.usage import post_usage
from crons.states import Outcome, Verdict
from jobs.models import Job, JobEvent, JobLog, JobMetrics, JobResult, UsageRecord
from jobs.states import Status
from storage.models import StoredFile
from tests.billing.using import use
from tests.browser.conftest import Watched
from tests.crons.making import make
from tests.crons.rows import make_day, make_run
from tests.jobs.rows import job_of, make_batch
from tests.realtime.rows import make_one_of_each

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
RUN_AXE = f"async () => (await axe.run(document, {{runOnly: {RULES}}})).violations"
LONG = "a_rather_long_name_" * 6
THIS_MONTH = f"/billing/statements/{timezone.now():%Y-%m}/"
OWN_PAGES = [
    "/jobs/",
    "/jobs/?expand=1",
    "/jobs/?label=nothing",
    "/jobs/?status=nonsense",
    "/jobs/1/",
    "/jobs/2/",
    "/jobs/5/",
    "/jobs/999/",
    "/crons/",
    "/crons/?after=zzz",
    "/crons/nightly/",
    f"/crons/{LONG}/",
    f"/crons/{LONG}/edit/",
    f"/crons/{LONG}/remove/",
    "/crons/nothing/",
    "/jobs/5/schedule/",
    "/realtime/",
    "/realtime/?before=1",
    *(f"/realtime/{number}/" for number in range(1, 8)),
    "/realtime/99/",
    "/realtime/windows/new/",
    "/billing/budgets/",
    "/billing/budgets/?scope=label&name=night",
    "/billing/budgets/1/edit/",
    "/billing/budgets/2/remove/",
    "/billing/budgets/999/edit/",
    "/billing/",
    "/billing/?month=2020-01",
    "/billing/?month=nonsense",
    "/billing/entries/",
    "/billing/entries/?label=nothing",
    "/billing/statements/",
    THIS_MONTH,
    "/billing/rates/",
    "/operate/billing/",
    "/files/",
    "/files/readme.txt/delete/",
    "/account/",
    "/account/keys/",
    "/account/password/",
    "/welcome/",
]
OPEN_PAGES = ["/sign-in/", "/sign-up/", "/password-reset/", "/password-reset/sent/"]
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 740}}


@pytest.fixture
def rows(alice: Any) -> None:
    """One of each thing that a page can show."""
    make_batch(alice, statuses=(Status.DONE, Status.ERROR, Status.PROCESSING, Status.QUEUED), label=LONG)
    failed = job_of(make_batch(alice, statuses=(Status.ERROR,), function=LONG, module=LONG, label="nightly"))
    JobLog.objects.create(job=failed, stream="stdout", head="x" * 500 + "\n" * 50, tail="end", dropped=10**7)
    JobResult.objects.create(job=failed, is_exception=True, error_text="Traceback\n" + "y" * 400)
    JobMetrics.objects.create(job=failed, samples=[[n, n * 1.5, n * 1e6] for n in range(60)])
    JobEvent.objects.create(batch=failed.batch, first_jid=5, last_jid=5, name="job.submitted", detail=LONG)
    for status in (Status.WAITING, Status.KILLED, Status.STALLED):
        make_batch(alice, statuses=(status,), reason="worker_lost" if status == Status.KILLED else "")
    for name in ("readme.txt", f"{LONG}.mp4"):
        StoredFile.objects.create(account=alice, name=name, size=123_456_789, key=name)
    add_crons(alice, failed)
    make_one_of_each(alice)
    add_bill(alice)
    alice.api_keys.create(secret_sha256="0" * 64, note=LONG)
    add_limits(alice)


def add_limits(alice: Any) -> None:
    """A budget that is spent and holds, one with a long name, and a brake."""
    Budget.objects.create(pk=1, account=alice, scope="account", limit=1)
    Budget.objects.create(pk=2, account=alice, scope="label", name=LONG, limit=10**13, action="mail", mails=False)
    Brake.objects.create(account=alice, api_key=1, sentence=f"Key {LONG} used far too much.")
    check_budgets()
    check_keys()


def add_bill(alice: Any) -> None:
    """Something of each kind, a long name of each, and an operator's view of it."""
    key = alice.api_keys.create(secret_sha256="2" * 64, note=LONG)
    now = timezone.now()
    for label, core_type in ((LONG, "c1"), ("cron_nightly", "c2"), ("", "m1")):
        use(alice, 3_600_000, 5, at=now - timedelta(days=1), label=label, core_type=core_type, function=LONG,
            module=LONG, api_key=key.pk)  # fmt: skip
    post_usage()
    # The database of these tests is emptied after each, with the rates that it began with.
    Rate.objects.get_or_create(kind="storage", effective_from=now - timedelta(days=1), defaults={"micros": 1})
    measure_storage()
    correct(account=alice, amount=Decimal("-0.5"), note=LONG, by=alice, key="a")
    Rate.objects.create(kind="storage", micros=150_000, effective_from=now + timedelta(days=1))
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    UsageRecord.objects.filter(jid=1).update(run_ms=1)
    reconcile()


def add_crons(alice: Any, failed: Job) -> None:
    """One with a run of every kind, and one that is new and has a long name."""
    cron, now = make(alice, "nightly", "30 2 * * *", timezone="Europe/Berlin"), timezone.now()
    make_run(cron, now, verdict=Verdict.FAILED, job=failed)
    for n, verdict in enumerate((Verdict.OK, Verdict.KILLED, Verdict.TOO_LONG, Verdict.PENDING), start=1):
        make_run(cron, now - timedelta(days=n), verdict=verdict, jid=n, is_late=n == 1)
    make_run(cron, now - timedelta(days=6), outcome=Outcome.MISSED, instants=7)
    make_run(cron, now - timedelta(days=7), outcome=Outcome.SKIPPED)
    for n, numbers in enumerate(
        ({"n_ok": 1}, {"n_ok": 1, "n_failed": 1}, {"n_missed": 1}, {"n_late": 1}, {"n_killed": 1})
    ):
        make_day(cron, n, **numbers)
    make(alice, LONG, "1,2,3,4,5,6,7,8,9 1-7 1-7 */2 mon-fri", timezone="Australia/Lord_Howe")


def faults_of(page: Page) -> list[str]:
    """What axe finds, a line each: the rule and where it is broken."""
    page.evaluate(AXE)
    found = page.evaluate(RUN_AXE)
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(("look", "size"), [("light", "wide"), ("dark", "phone")])
def test_pages_of_a_person(watched: Watched, alice: Any, rows: None, look: Any, size: str) -> None:
    page = watched.page(alice, color_scheme=look, viewport=SIZES[size], reduced_motion="reduce")
    problems: dict[str, Any] = {}
    for path in OWN_PAGES:
        page.goto(path)
        problems[path] = [*faults_of(page), *(["too wide"] if is_too_wide(page) else [])]
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize(("look", "size"), [("light", "wide"), ("dark", "phone")])
def test_pages_of_a_visitor(watched: Watched, look: Any, size: str) -> None:
    page = watched.page(color_scheme=look, viewport=SIZES[size])
    problems: dict[str, Any] = {}
    for path in OPEN_PAGES:
        page.goto(path)
        problems[path] = [*faults_of(page), *(["too wide"] if is_too_wide(page) else [])]
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize(("look", "size"), [("light", "phone"), ("dark", "wide")])
def test_style_page(watched: Watched, alice: Any, settings: Any, look: Any, size: str) -> None:
    settings.ROOT_URLCONF = "tests.browser.urls"
    page = watched.page(alice, color_scheme=look, viewport=SIZES[size], reduced_motion="reduce")
    page.goto("/style/")
    assert page.get_by_role("heading", level=2).count() >= 7
    assert faults_of(page) == []
    assert not is_too_wide(page)
