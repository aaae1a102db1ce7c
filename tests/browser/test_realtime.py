"""Reserved cores in the hand: the price that follows what is typed, a question before a release, no script."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from realtime.models import Reservation
from realtime.states import EndReason, State
from tests.browser.conftest import Watched
from tests.realtime.rows import make_one_of_each, make_reservation


def test_price_follows_what_is_typed(page: Page, alice: Any) -> None:
    page.goto("/realtime/")
    expect(page.locator("#quote")).to_contain_text("$0.015 an hour")
    page.get_by_label("Cores", exact=True).fill("8")
    expect(page.locator("#quote")).to_contain_text("$0.12 an hour")
    page.get_by_label("Core type").select_option("c2")
    expect(page.locator("#quote")).to_contain_text("$0.30 an hour")
    page.get_by_label("Maximum duration").fill("3")
    expect(page.locator("#quote")).to_contain_text("$0.90 for 3 hours")
    page.get_by_label("Cores", exact=True).fill("0")
    expect(page.locator("#quote")).to_contain_text("whole number from 1")
    assert not Reservation.objects.exists()


def test_reserved_by_keyboard_and_withdrawn_after_a_question(page: Page, alice: Any) -> None:
    page.goto("/realtime/")
    page.get_by_label("Cores", exact=True).fill("2")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Request 1 is made: 2 c1 cores.")
    page.locator("summary", has_text="Withdraw").click()
    page.get_by_role("button", name="Withdraw request 1").click()
    expect(page.locator("#messages")).to_contain_text("withdrawn; it cost nothing")
    assert Reservation.objects.get().end_reason == EndReason.WITHDRAWN


def test_line_changes_in_its_place(page: Page, alice: Any) -> None:
    make_reservation(alice, 1)
    page.clock.install()
    page.goto("/realtime/")
    expect(page.locator("#reservation-1")).to_contain_text("Pending")
    row = Reservation.objects.get()
    Reservation.objects.update(state=State.ACTIVE, ready_at=row.requested_at)
    page.clock.run_for(20_000)
    expect(page.locator("#reservation-1")).to_contain_text("Active")
    expect(page.locator("#said")).to_have_text("Request 1: Active")


def test_all_of_it_without_script(watched: Watched, alice: Any) -> None:
    page = watched.page(alice, java_script_enabled=False)
    page.goto("/realtime/")
    page.get_by_label("Cores", exact=True).fill("2")
    page.get_by_label("Maximum duration").fill("3")
    page.get_by_role("button", name="Show the price").click()
    assert "$0.09 for 3 hours" in page.locator("#quote").inner_text()
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.get_by_role("link", name="1", exact=True).click()
    assert re.search("/realtime/1/$", page.url)
    page.get_by_label("Maximum duration").fill("5")
    page.get_by_role("button", name="Change it").click()
    assert "5 hours" in page.locator("#reservation-facts").inner_text()
    page.locator("summary", has_text="Withdraw").click()
    page.get_by_role("button", name="Withdraw request 1").click()
    assert "Withdraw" not in page.locator("#reservations").inner_text()
    page.goto("/realtime/windows/new/")
    page.get_by_label("Saturday").check()
    page.get_by_role("button", name="Keep the window").click()
    assert "Monday to Saturday 09:00–18:00 UTC" in page.locator("#windows").inner_text()


def test_keys_lead_there_and_along_the_lines(page: Page, alice: Any) -> None:
    make_one_of_each(alice)
    page.goto("/jobs/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile("/realtime/$"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/realtime/7/$"))
