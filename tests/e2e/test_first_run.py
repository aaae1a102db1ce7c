"""The first minutes of a newcomer: sign up, copy the three lines, run them, and see the job go by, live."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Account, Stack, finish


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Page:
    return browser.new_page(base_url=stack.url)


def sign_up(page: Page, name: str) -> None:
    page.goto("/sign-up/")
    page.get_by_label(re.compile("user ?name", re.IGNORECASE)).fill(name)
    for field in page.locator("input[type=email]").all():
        field.fill(f"{name}@example.org")
    for field in page.locator("input[type=password]").all():
        field.fill("a-long-password-nobody-has")
    page.locator("main form").get_by_role("button").first.click()


def shown_account(page: Page, stack: Stack) -> Account:
    """The user's own key, as the page after sign-up shows it."""
    expect(page).to_have_url(re.compile("/welcome/"))
    text = page.locator("main").inner_text()
    key = re.search(r"--api-key[= ](\d+)", text)
    secret = re.search(r"--api-secretkey[= ](\S+)", text)
    assert key is not None, text
    assert secret is not None, text
    return Account(url=stack.url, username="", password="", api_key=int(key[1]), api_secretkey=secret[1])


def test_job_is_seen_from_queued_to_done_with_its_output(page: Page, stack: Stack, tmp_path: Path) -> None:
    sign_up(page, "newcomer")
    account = shown_account(page, stack)
    script = """
import cloud, time

def hello():
    import time
    print("hello from the job", flush=True)
    for n in range(4):
        time.sleep(0.5)
        print("step", n, flush=True)
    return "finished"

# Holds both cores for a moment, so that the next one is seen waiting.
busy = cloud.map(time.sleep, [2.5, 2.5])
jid = cloud.call(hello)
print(jid, flush=True)
print(cloud.result(jid, timeout=60))
"""
    client = account.start(script, cwd=tmp_path)
    assert client.stdout is not None
    jid = int(client.stdout.readline())
    page.goto(f"/jobs/{jid}/")
    # One page from here on: nothing is loaded again by hand.
    page.evaluate("window.seenFromTheStart = true")
    status, output = page.locator("#job-head").get_by_role("status"), page.locator("#job-output")
    expect(status).to_have_text("Queued")
    expect(status).to_have_text("Running", timeout=15_000)
    expect(output.get_by_text("hello from the job")).to_be_visible(timeout=15_000)
    expect(status).to_have_text("Running")
    expect(output.get_by_text("step 3")).to_be_visible(timeout=15_000)
    expect(status).to_have_text("Done", timeout=15_000)
    assert page.evaluate("window.seenFromTheStart") is True
    assert finish(client) == "finished\n"


def test_new_job_appears_on_the_panel_without_a_reload(page: Page, stack: Stack, tmp_path: Path) -> None:
    sign_up(page, "watcher")
    account = shown_account(page, stack)
    page.goto("/jobs/")
    page.evaluate("window.seenFromTheStart = true")
    account.run("import cloud\nprint(cloud.call(lambda: 1, _label='fresh-label'))\n", cwd=tmp_path)
    expect(page.locator("main")).to_contain_text("fresh-label", timeout=20_000)
    assert page.evaluate("window.seenFromTheStart") is True
