"""Crons in the hand: a schedule that is typed, lines that change meanwhile, keys, and a browser without script."""

import re
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from crons.models import Cron
from crons.states import Verdict
from jobs.models import Job
from jobs.states import Status
from tests.browser.conftest import Watched
from tests.crons.making import make
from tests.crons.rows import make_run
from tests.jobs.rows import job_of, make_batch


def test_preview_follows_what_is_typed(page: Page, alice: Any) -> None:
    make(alice, "tweet", "@hourly")
    page.goto("/crons/tweet/edit/")
    page.get_by_label("Schedule").fill("15 4 * * mon")
    expect(page.locator("#preview")).to_contain_text("At 04:15, only on Monday")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(page.locator("#preview tbody tr").first).to_contain_text("04:15 JST")
    expect(page.locator("#preview tbody tr")).to_have_count(10)
    page.get_by_label("Schedule").fill("15 4 * *")
    expect(page.get_by_role("alert")).to_contain_text("has 4 fields, and needs five")
    assert Cron.objects.get().schedule == "@hourly"


def test_schedule_is_saved_by_keyboard(page: Page, alice: Any) -> None:
    make(alice, "tweet", "@hourly")
    page.goto("/crons/tweet/edit/")
    page.get_by_label("Schedule").fill("15 4 * * mon")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/crons/tweet/$"))
    expect(page.locator("#messages")).to_contain_text("runs by its new schedule")
    expect(page.locator("#cron-head")).to_contain_text("15 4 * * mon")


def test_line_changes_in_its_place(page: Page, alice: Any) -> None:
    cron = make(alice, "tweet", "@hourly")
    make(alice, "other", "@daily")
    page.clock.install(time=timezone.now())
    page.goto("/crons/")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="tweet", exact=True).focus()
    make_run(cron, verdict=Verdict.FAILED)
    Cron.objects.filter(pk=cron.pk).update(state="failing")
    page.clock.fast_forward(20_000)
    expect(page.get_by_role("row", name="tweet")).to_contain_text("Failing")
    expect(page.locator("#said")).to_have_text("tweet: Failing")
    expect(page.get_by_role("link", name="tweet", exact=True)).to_be_focused()
    assert page.evaluate("window.same")


def test_first_cron_appears_by_itself(page: Page, alice: Any) -> None:
    page.clock.install(time=timezone.now())
    page.goto("/crons/")
    expect(page.get_by_role("button", name="Copy three lines of Python")).to_be_visible()
    make(alice, "tweet", "@hourly")
    page.clock.fast_forward(20_000)
    expect(page.get_by_role("row", name="tweet")).to_be_visible()


def test_countdown_counts(page: Page, alice: Any) -> None:
    cron = make(alice, "tweet", "@hourly")
    page.clock.install(time=timezone.now())
    page.goto("/crons/")
    before = page.locator("td.next").inner_text()
    page.clock.fast_forward(3_000)
    expect(page.locator("td.next")).not_to_have_text(before)
    assert cron.next_at is not None


def test_keys_go_to_a_cron(page: Page, alice: Any) -> None:
    make(alice, "a", "@hourly")
    make(alice, "b", "@hourly")
    page.goto("/jobs/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/crons/$"))
    page.wait_for_load_state()  # before it, nobody listens to keys
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/crons/b/$"))


def test_run_now_from_the_list(page: Page, alice: Any) -> None:
    make(alice, "tweet", "@hourly")
    page.goto("/crons/")
    page.get_by_role("button", name="Run tweet now").press("Enter")
    expect(page.locator("#messages")).to_contain_text("tweet runs now, as job 1.")
    expect(page).to_have_url(re.compile("/crons/$"))
    assert Job.objects.get().batch.label == "cron_tweet"


def test_calendar_of_a_phone_begins_with_today(watched: Watched, alice: Any) -> None:
    make(alice, "tweet", "@hourly")
    page = watched.page(alice, viewport={"width": 360, "height": 740})
    page.goto("/crons/tweet/")
    last = page.locator(".year rect").last.bounding_box()
    assert last is not None
    assert 0 < last["x"] < 360


def test_everything_works_without_script(watched: Watched, alice: Any) -> None:
    make(alice, "tweet", "@hourly")
    job_of(make_batch(alice, statuses=(Status.DONE,)))
    page = watched.page(alice, java_script_enabled=False)
    page.goto("/crons/")
    page.get_by_role("link", name="Edit tweet").click()
    page.get_by_label("Schedule").fill("15 4 * * *")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("Every day at 04:15")
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.locator("#cron-head")).to_contain_text("Every day at 04:15")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#cron-head")).to_contain_text("Paused")
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove the cron").click()
    expect(page.locator("#messages")).to_contain_text("tweet is removed")
    assert not Cron.objects.exists()
