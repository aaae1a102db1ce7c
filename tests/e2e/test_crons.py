"""Crons through a whole stack: they run minute for minute, on time, whatever is killed."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.stack import Account, Stack
from tests.waiting import wait_until

# A package that only the caller has, imported where the function cannot be without it.
LIBRARY = "def text():\n    return 'a tweet'\n"
REGISTER = """
import cloud
import birds

def tweet():
    print(birds.text())
    return "tweeted"

cloud.cron.register(tweet, "bot", "* * * * *")
assert cloud.cron.list() == ["bot"]
print(cloud.cron.info("bot")["next_run"].isoformat())
"""

LOOK = """
import cloud, json
from cloud import _client
runs = _client.request_json("GET", "/api/v1/crons/bot/runs")["runs"]
done = [run for run in runs if run["mark"] in ("ok", "late")]
info = cloud.info([run["jid"] for run in done], ["label", "stdout", "status"]) if done else {}
print(json.dumps({
    "runs": [[run["scheduled"], run["started"], run["jid"], run["trigger"]] for run in reversed(done)],
    "jobs": [info[run["jid"]] for run in reversed(done)],
    "cron": {name: str(value) for name, value in cloud.cron.info("bot").items()},
}))
"""


# CRON_MINUTES asks for more of them; one, with a clock that is killed before it, takes up to a minute.
MINUTES = int(os.environ.get("CRON_MINUTES", "1"))


def test_bot_runs_at_its_minutes_though_the_clock_is_killed(stack: Stack, account: Account, tmp_path: Path) -> None:
    (tmp_path / "birds.py").write_text(LIBRARY)
    first = datetime.fromisoformat(account.run(REGISTER, cwd=tmp_path).strip())
    stack.kill("clock")
    found = _seen(account, tmp_path, runs=MINUTES)
    times = [datetime.fromisoformat(run[0]) for run in found["runs"]]
    assert times[:MINUTES] == [first + n * timedelta(minutes=1) for n in range(MINUTES)]
    assert all(job == {"label": "cron_bot", "stdout": "a tweet\n", "status": "done"} for job in found["jobs"])
    delays = [datetime.fromisoformat(run[1]) - datetime.fromisoformat(run[0]) for run in found["runs"]]
    # An idle core and a machine that others use too; benchmarks have the figure of a quiet one.
    assert max(delays) < timedelta(seconds=10)
    assert (found["cron"]["state"], found["cron"]["creator_host"] != "None") == ("up", True)
    account.run("import cloud; cloud.cron.deregister('bot')", cwd=tmp_path)


BROKEN = """
import cloud

def broken():
    import a_module_of_nowhere

cloud.cron.register(broken, "broken", "@yearly")
try:
    cloud.result(cloud.cron.manual_run("broken"), timeout=60)
except cloud.CloudException:
    pass
"""


def test_page_says_which_import_failed_and_where(
    stack: Stack, account: Account, browser: Browser, tmp_path: Path
) -> None:
    account.run(BROKEN, cwd=tmp_path)
    page = browser.new_page(base_url=stack.url)
    page.goto("/sign-in/?next=/crons/broken/")
    page.get_by_label("User name").fill(account.username)
    page.get_by_label("Password").fill(account.password)
    page.locator("main form").get_by_role("button").click()
    page.wait_for_url("**/crons/broken/")

    def failure() -> str | None:
        page.goto("/crons/broken/")
        found = page.locator("#failure-text")
        return found.inner_text() if found.count() else None

    said = wait_until(failure, timeout=30, what="the failure on the page")
    assert "ModuleNotFoundError: No module named 'a_module_of_nowhere'" in said
    assert "Module 'a_module_of_nowhere' could not be imported in environment base. Sent along: nothing." in said
    account.run("import cloud; cloud.cron.deregister('broken')", cwd=tmp_path)


def _seen(account: Account, cwd: Path, *, runs: int) -> Any:
    def look() -> Any:
        found = json.loads(account.run(LOOK, cwd=cwd))
        return found if len(found["runs"]) >= runs else None

    return wait_until(look, timeout=runs * 60 + 60, what=f"{runs} runs")
