"""How long a printed line takes to whoever watches the job's page."""

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Iterator

import cloud
from benchmarks.harness.arena import Arena
from benchmarks.harness.figures import Table, percentile
from benchmarks.measures.jobs import chatter
from tests.stack import Account

LINES = 100


def latency(arena: Arena) -> Table:
    lines = arena.number(LINES)
    cookie = sign_in(arena.account)
    jid = cloud.call(chatter, lines)
    times = [(came - told) * 1000 for told, came in watch(arena.account, cookie, jid)]
    cloud.result(jid)
    row = ["a line", f"{percentile(times, 0.5):.0f}", f"{percentile(times, 0.95):.0f}", f"{max(times):.0f}"]
    return Table(
        key="i",
        title="From print to the browser",
        columns=["printed in a job, read from the page's event stream", "p50 ms", "p95 ms", "greatest", "lines"],
        rows=[[*row, f"{len(times)} of {lines}"]],
        data={"ms": times},
    )


def sign_in(account: Account) -> str:
    """The cookies of somebody who has signed in on the site."""
    connection = http.client.HTTPConnection(account.url.removeprefix("http://"))
    connection.request("GET", "/sign-in/")
    page = connection.getresponse()
    text = page.read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
    assert found, "the sign-in page has no token"
    form = {"username": account.username, "password": account.password, "csrfmiddlewaretoken": found[1]}
    headers = {"Cookie": _cookies(page), "Content-Type": "application/x-www-form-urlencoded", "Referer": account.url}
    connection.request("POST", "/sign-in/", urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302, f"the sign-in answered {answer.status}"
    return _cookies(answer)


def _cookies(answer: http.client.HTTPResponse) -> str:
    return "; ".join(value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")


def watch(account: Account, cookie: str, jid: int) -> Iterator[tuple[float, float]]:
    """When each line was printed, and when it came; ends with the job."""
    connection = http.client.HTTPConnection(account.url.removeprefix("http://"), timeout=60)
    connection.request("GET", f"/live/jobs/{jid}/log", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200, f"the event stream answered {answer.status}"
    event, seen = "", ""
    while line := answer.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event in ("output", "snapshot"):
            came = time.time()
            # The last snapshot repeats everything, and has what was printed just before the end.
            text = seen + json.loads(value)["text"] if event == "output" else json.loads(value)["stdout"]
            yield from ((float(words.split()[1]), came) for words in text.split("\n")[seen.count("\n") : -1])
            seen = text
        elif name == "data" and event == "end":
            break
    connection.close()
