"""Reserved cores through a whole stack of two slots: the form, the mail, and the floor while two accounts have work
for hours."""

import json
import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from tests import stack as stacks
from tests.stack import Account, Stack
from tests.waiting import wait_until

# Long enough that the cores are never idle while the test looks.
BACKLOG = """
import cloud, time
jids = cloud.map(lambda n: time.sleep(0.3), range(2000))
print(jids[0])
"""
LOOK = """
import cloud, json
print(json.dumps(cloud.realtime.list(), default=str))
"""


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """A stack of its own: others would wait while all its cores are held."""
    with stacks.stack() as one:
        yield one


def sign_in(stack: Stack, account: Account) -> OpenerDirector:
    """A browser without script."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    send(browser, f"{stack.url}/sign-in/", username=account.username, password=account.password)
    return browser


def send(browser: OpenerDirector, url: str, *, act: str = "", **fields: str) -> str:
    """Fill in the form of a page and send it, with the hidden fields that the page has."""
    page = browser.open(url).read().decode()
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page))
    answer = browser.open(act or url, urlencode(hidden | fields).encode())
    assert isinstance(answer.status, int)
    return str(answer.read().decode())


def busy(stack: Stack, sql_script: str) -> Any:
    return json.loads(stack.manage("shell", "--no-imports", "-c", sql_script))


RUNNING = """
import json
from jobs.models import Dedication, Job
rows = Job.objects.filter(status="processing").values_list("worker", "account__username")
dedicated = list(Dedication.objects.values_list("worker", flat=True))
print(json.dumps([dict(rows), dedicated]))
"""
# Who began each of the last jobs, on which worker.
STARTS = """
import json
from jobs.models import Batch, Dedication, JobEvent
dedicated = Dedication.objects.get()
starts = JobEvent.objects.filter(name="job.started", at__gt=dedicated.since)
rows = starts.values_list("worker", "batch__account__username")
mine, others = {}, {}
for worker, name in rows:
    into = mine if worker == dedicated.worker else others
    into[name] = into.get(name, 0) + 1
print(json.dumps([mine, others]))
"""


def test_the_floor_of_one_core_is_held_while_two_accounts_have_long_backlogs(own_stack: Stack, tmp_path: Path) -> None:
    stack = own_stack
    alice, bob = stack.account("alice"), stack.account("bob")
    stack.manage("shell", "--no-imports", "-c", _MAIL)
    browser = sign_in(stack, alice)
    page = send(browser, f"{stack.url}/realtime/", core_type="c1", cores="1")
    assert "Request 1 is made" in page
    wait_until(lambda: "1 c1 core ready (request 1)" in stack.log, timeout=30, what="the mail on the terminal")
    assert "To: alice@example.org" in stack.log
    assert json.loads(alice.run(LOOK, cwd=tmp_path))[0]["state"] == "active"
    bob.run(BACKLOG, cwd=tmp_path)
    bob.run(BACKLOG, cwd=tmp_path)
    alice.run(BACKLOG, cwd=tmp_path)

    def both_ways() -> bool:
        mine, others = busy(stack, STARTS)
        return bool(mine.get("alice", 0) >= 5 and others.get("alice", 0) and others.get("bob", 0))

    # A floor: its core runs Alice's jobs alone. Not a cap: the other one runs hers too, in turn with Bob's.
    wait_until(both_ways, timeout=60, what="jobs of both on the shared core, and of Alice on hers")
    mine, _ = busy(stack, STARTS)
    assert set(mine) == {"alice"}
    page = browser.open(f"{stack.url}/realtime/").read().decode()
    assert "1 of 1" in page
    page = send(browser, f"{stack.url}/realtime/1/", act=f"{stack.url}/realtime/1/release/")
    assert "Request 1 is released" in page

    def shared_again() -> bool:
        running, dedicated = busy(stack, RUNNING)
        return not dedicated and list(running.values()) == ["bob", "bob"]

    alice.run("import cloud; cloud.kill()", cwd=tmp_path)
    wait_until(shared_again, timeout=30, what="Bob on both cores")


_MAIL = """
from accounts.models import User
User.objects.filter(username="alice").update(email="alice@example.org")
"""


def test_a_block_reserves_and_a_worker_that_is_killed_is_replaced(own_stack: Stack, tmp_path: Path) -> None:
    stack = own_stack
    carol = stack.account("carol")
    carol.run(
        """
import cloud
with cloud.realtime.cores('c1', 2, 1, timeout=60) as found:
    assert found['state'] == 'active', found
    assert cloud.result(cloud.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]
assert cloud.realtime.list() == []
assert cloud.realtime.list(1)[0]['end_reason'] == 'released'
""",
        cwd=tmp_path,
    )
    carol.run("import cloud; cloud.realtime.request('c1', 1); cloud.realtime.wait(2, timeout=60)", cwd=tmp_path)
    stack.kill("worker")
    carol.run("import cloud; assert cloud.result(cloud.call(lambda: 7)) == 7", cwd=tmp_path)
    wait_until(
        lambda: json.loads(carol.run(LOOK, cwd=tmp_path))[0]["note"] is None,
        timeout=60,
        what="the reserved core to stand ready again",
    )
