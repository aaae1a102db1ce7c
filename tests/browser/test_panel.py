"""The jobs panel in the hand: keys, filters, selection, and rows that change while one looks."""

import re
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from jobs.models import Batch, Job
from jobs.states import Status
from tests.browser.conftest import Watched
from tests.jobs.rows import job_of, make_batch


def test_keys_move_select_and_open(page: Page, alice: Any) -> None:
    make_batch(alice)
    make_batch(alice, statuses=(Status.DONE,) * 3)
    page.goto("/jobs/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#ticked")).to_have_text("1")
    page.keyboard.press("e")
    expect(page.locator("tr.child")).to_have_count(3)
    for _ in range(4):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/jobs/1/$"))


def test_keys_go_to_pages_and_to_the_search(page: Page, alice: Any) -> None:
    page.goto("/jobs/")
    page.keyboard.press("/")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("gf")
    expect(page.locator("#text")).to_have_value("gf")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("/files/$"))


def test_question_mark_lists_the_keys(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Next row")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_typing_filters_without_a_reload(page: Page, alice: Any) -> None:
    make_batch(alice, function="train")
    make_batch(alice, function="encode")
    page.goto("/jobs/")
    page.evaluate("window.same = true")
    page.fill("#text", "trai")
    expect(page.locator("tr.row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/jobs/\?text=trai$"))
    assert page.evaluate("window.same")


def test_kill_asks_in_its_place(page: Page, alice: Any) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED, Status.QUEUED, Status.DONE))
    page.goto("/jobs/")
    expect(page.get_by_role("button", name="Kill…")).to_be_hidden()
    page.get_by_role("checkbox", name="Select 1–3").check()
    page.get_by_role("button", name="Kill…").click()
    expect(page.locator("#confirm")).to_contain_text("Stop 2 jobs, $0.00 so far")
    page.get_by_role("button", name="Kill 2 jobs").click()
    expect(page.locator("#messages")).to_contain_text("2 jobs killed.")
    assert Batch.objects.get(pk=batch.pk).n_killed == 2


def test_kill_works_without_script(watched: Watched, alice: Any) -> None:
    make_batch(alice, statuses=(Status.QUEUED,))
    page = watched.page(alice, java_script_enabled=False)
    page.goto("/jobs/")
    page.get_by_role("checkbox", name="Select 1").check()
    page.get_by_role("button", name="Kill…").click()
    expect(page.get_by_role("heading", name="Kill jobs?")).to_be_visible()
    page.get_by_role("button", name="Kill 1 job").click()
    expect(page.locator("#messages")).to_contain_text("1 job killed.")


def test_row_changes_in_its_place_and_stays_ticked(page: Page, alice: Any) -> None:
    job = job_of(make_batch(alice, statuses=(Status.QUEUED,)))
    page.goto("/jobs/")
    page.evaluate("window.same = true")
    page.get_by_role("checkbox", name="Select 1").check()
    Job.objects.filter(pk=job.pk).update(status=Status.PROCESSING, started_at=timezone.now(), price_micros=50_000)
    expect(page.locator("tr.row")).to_contain_text("Running")
    expect(page.get_by_role("checkbox", name="Select 1")).to_be_checked()
    assert page.evaluate("window.same")


def test_new_jobs_wait_behind_a_pill(page: Page, alice: Any) -> None:
    make_batch(alice, statuses=(Status.QUEUED,))
    page.goto("/jobs/")
    make_batch(alice, label="fresh")
    pill = page.get_by_role("link", name="1 new")
    expect(pill).to_be_visible()
    expect(page.locator("tr.row")).to_have_count(1)
    pill.click()
    expect(page.locator("tr.row").first).to_contain_text("fresh")


def test_map_opens_and_closes(page: Page, alice: Any) -> None:
    make_batch(alice, statuses=(Status.DONE,) * 60)
    page.goto("/jobs/")
    page.get_by_role("button", name="Jobs of map 1–60").click()
    expect(page.locator("tr.child")).to_have_count(50)
    page.get_by_role("button", name="More jobs of this map").click()
    expect(page.locator("tr.child")).to_have_count(60)
    page.get_by_role("button", name="Jobs of map 1–60").click()
    expect(page.locator("tr.child")).to_have_count(0)


def test_back_from_a_job_leads_to_the_filtered_page(page: Page, alice: Any) -> None:
    make_batch(alice, function="train")
    page.goto("/jobs/")
    page.fill("#text", "trai")
    expect(page).to_have_url(re.compile(r"text=trai$"))
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("heading", name="Job 1")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(page.locator("tr.row")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/jobs/$"))
