"""Looks, files, keys, and the page of a job, in the hand."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from jobs.states import Status
from storage.models import StoredFile
from tests.browser.conftest import Watched
from tests.jobs.rows import make_batch


def test_look_is_chosen_and_kept(page: Page) -> None:
    page.goto("/jobs/")
    expect(page.locator("html")).to_have_attribute("data-theme", "system")
    page.get_by_role("button", name="Change to dark").click()
    page.goto("/files/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_skip_link_is_the_first_stop(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_job_is_killed_in_its_place(page: Page, alice: Any) -> None:
    make_batch(alice, statuses=(Status.QUEUED,))
    page.goto("/jobs/1/")
    page.locator("summary", has_text="Kill").click()
    page.get_by_role("button", name="Kill job 1").click()
    expect(page.locator("#job-head")).to_contain_text("Killed")


def test_file_is_uploaded_with_progress(page: Page, alice: Any, tmp_path: Path) -> None:
    (tmp_path / "holiday film.mov").write_bytes(b"x" * 3_000_000)
    page.goto("/files/")
    page.locator("#file").set_input_files(tmp_path / "holiday film.mov")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("table")).to_contain_text("holiday film.mov")
    assert StoredFile.objects.get(account=alice).size == 3_000_000


def test_refused_upload_says_why(page: Page, tmp_path: Path) -> None:
    (tmp_path / "bad\nname.txt").write_bytes(b"x")
    page.goto("/files/")
    page.locator("#file").set_input_files(tmp_path / "bad\nname.txt")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#uploads .failed")).to_be_visible()


def test_secret_of_a_new_key_is_shown_once(page: Page) -> None:
    page.goto("/account/keys/")
    page.get_by_label("Note").fill("laptop")
    page.get_by_role("button", name="Create a key").click()
    expect(page.locator("#new-key")).to_contain_text(
        re.compile(r"picloud setup --url \S+ --api-key \d+ --api-secretkey \S+")
    )
    page.reload()
    expect(page.locator("#new-key")).to_have_count(0)


def test_lines_are_copied(watched: Watched, alice: Any) -> None:
    page = watched.page(alice, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/jobs/")
    page.get_by_role("button", name="Copy three lines of Python").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "cloud.call" in page.evaluate("navigator.clipboard.readText()")


def test_newcomer_gets_a_key_on_a_phone(watched: Watched) -> None:
    page = watched.page(viewport={"width": 360, "height": 740})
    page.goto("/sign-up/")
    page.get_by_label("User name").fill("newcomer")
    page.get_by_label("Password").fill("a-long-password-nobody-has")
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator("#step-2")).to_contain_text("--api-secretkey")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.goto("/account/keys/")
    page.get_by_role("button", name="Create a key").click()
    expect(page.locator("#new-key")).to_contain_text("--api-secretkey")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
