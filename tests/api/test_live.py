"""The site on its one port: waiting for results, streams of events, and what stands between them and Django."""

import asyncio
import json
import pickle
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from api import live
from environments.models import Environment
from jobs.models import JobResult
from jobs.services.livelog import publish_output
from jobs.services.tokens import token_for_run
from jobs.states import Status
from storage.services import save_file
from tests.api.site import Site, authorized, running_site
from tests.submitting import Api, claim, finish, pack, run_all, submit
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def site(django_db_setup: None, valkey_server: Path) -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture(autouse=True)
def base_environment(core_types: None) -> Environment:
    return Environment.objects.create(name="base", image="test", digest="test", python="3.11")


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


# -- submit ------------------------------------------------------------------------------------


def test_repeated_submit_is_the_same_job(site: Site, alice_api: Api) -> None:
    body = pack([b"a", b"b"])
    first, again = (site.request("POST", "/api/v1/jobs", body, as_=alice_api) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.json() == again.json() == {"first_jid": 1, "last_jid": 2, "count": 2, "url": "/jobs/1/"}


def test_submit_over_the_limit_is_refused_before_it_is_sent(site: Site, alice_api: Api) -> None:
    key = authorized(alice_api)["Authorization"]
    head = f"POST /api/v1/jobs HTTP/1.1\nHost: x\nAuthorization: {key}\nContent-Length: {settings.MAX_REQUEST + 1}"
    answer = site.raw(head, b"the first bytes")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"too_large" in answer


def test_submit_of_unsaid_length_is_cut_at_the_limit(site: Site, alice_api: Api, settings: Any) -> None:
    settings.MAX_REQUEST = 100_000
    chunks = (b"x" * 50_000 for _ in range(3))
    answer = site.request("POST", "/api/v1/jobs", chunks, as_=alice_api)
    assert (answer.status, answer.code) == (413, "too_large")


def test_large_body_of_a_stranger_is_not_waited_for(site: Site) -> None:
    answer = site.raw("POST /api/v1/jobs HTTP/1.1\nHost: x\nContent-Length: 30000000", b"the first bytes")
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"no_key" in answer


def test_question_over_the_limit_is_refused(site: Site, alice_api: Api) -> None:
    answer = site.request("POST", "/api/v1/results", b" " * 1_000_001, as_=alice_api)
    assert (answer.status, answer.code) == (413, "too_large")


# -- results -----------------------------------------------------------------------------------


def test_finished_jobs_are_answered_at_once(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=2)
    run_all(alice)
    began = time.monotonic()
    header, body = site.results(alice_api, [[1, 2]], wait=30).pack()
    assert time.monotonic() - began < 10
    assert header["jobs"] == [[1, "done", "", False, 15], [2, "done", "", False, 15]]
    assert (header["pending"], header["counts"]) == ([], {"done": 2})
    assert body == b"a pickled value" * 2


def test_wait_that_is_over_tells_what_is_pending(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=3)
    header, body = site.results(alice_api, [[1, 2], 3], wait=0.1).pack()
    assert (header["jobs"], header["pending"], header["counts"]) == ([], [[1, 3]], {"queued": 3})
    assert body == b""


def test_waiter_hears_of_the_end(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice)
    answers: list[Any] = []
    waiter = threading.Thread(target=lambda: answers.append(site.results(alice_api, [[1, 1]], wait=50)))
    waiter.start()
    run_all(alice)
    waiter.join(20)
    assert answers[0].pack()[0]["jobs"] == [[1, "done", "", False, 15]]


def test_answer_comes_soon_after_the_first_result(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice)
    run_all(alice)
    submit(alice)
    began = time.monotonic()
    header, _ = site.results(alice_api, [[1, 2]], wait=50).pack()
    assert 0.2 < time.monotonic() - began < 10
    assert (header["jobs"], header["pending"]) == ([[1, "done", "", False, 15]], [[2, 2]])


def test_results_over_max_bytes_are_left_for_the_next_answer(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=3)
    run_all(alice)
    header, body = site.results(alice_api, [[1, 3]], max_bytes=30).pack()
    assert ([row[0] for row in header["jobs"]], header["pending"], len(body)) == ([1, 2], [], 30)
    header, body = site.results(alice_api, [[3, 3]], max_bytes=0).pack()
    assert ([row[0] for row in header["jobs"]], len(body)) == ([3], 15)


def test_results_without_data(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=2)
    run_all(alice)
    header, body = site.results(alice_api, [[1, 2]], data=False).pack()
    assert ([row[4] for row in header["jobs"]], body) == ([0, 0], b"")


def test_failed_job_says_why(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice)
    run_all(alice, status=Status.ERROR)
    header, _ = site.results(alice_api, [[1, 1]]).pack()
    assert header["jobs"] == [[1, "error", "exception", True, 15]]
    assert header["errors"] == {"1": "Traceback: ValueError: no"}


def test_many_scattered_jobs_are_found(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=4000)
    scattered = [[jid, jid] for jid in range(1, 4000, 2)]
    assert site.results(alice_api, scattered).pack()[0]["counts"] == {"queued": 2000}
    info = site.request("POST", "/api/v1/info", json.dumps({"jids": scattered, "fields": ["status"]}), as_=alice_api)
    assert len(info.json()["jobs"]) == 2000
    kill = site.request("POST", "/api/v1/kill", json.dumps({"jids": scattered}), as_=alice_api)
    assert kill.json() == {"killed": 2000, "stopping": 0}


def test_overlapping_ranges_name_each_job_once(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice, count=3)
    run_all(alice)
    header, _ = site.results(alice_api, [[2, 3], [1, 2], 3]).pack()
    assert [row[0] for row in header["jobs"]] == [1, 2, 3]


def test_strangers_job_is_unknown(site: Site, alice: Any, charlie_api: Api) -> None:
    submit(alice)
    answer = site.results(charlie_api, [[1, 1]], wait=5)
    assert (answer.status, answer.code, answer.json()["error"]["jid"]) == (404, "job_unknown", 1)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("{", "bad_json"),
        ("[" * 100_000, "bad_json"),
        ("[1]", "bad_json"),
        ("\xff", "bad_json"),
        ("{}", "bad_jids"),
        ('{"jids": [[2, 1]]}', "bad_jids"),
        ('{"jids": [[1, 1e400]]}', "bad_jids"),
        ('{"jids": [[1, 10001]]}', "too_many_jids"),
        ('{"jids": [], "wait": NaN}', "bad_wait"),
        ('{"jids": [], "wait": 61}', "bad_wait"),
        ('{"jids": [], "wait": true}', "bad_wait"),
        ('{"jids": [], "max_bytes": -1}', "bad_max_bytes"),
        ('{"jids": [], "data": "no"}', "bad_data"),
    ],
)
def test_question_that_makes_no_sense_is_refused(site: Site, alice_api: Api, asked: str, code: str) -> None:
    answer = site.request("POST", "/api/v1/results", asked.encode("latin-1"), as_=alice_api)
    assert (answer.status, answer.code) == (400, code)


def test_lost_result_is_a_numbered_defect(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice)
    run_all(alice)
    JobResult.objects.update(key="results/gone", inline=None)
    answer = site.results(alice_api, [[1, 1]])
    assert (answer.status, answer.code) == (500, "server_error")
    assert answer.json()["error"]["id"]
    assert "gone" not in answer.body.decode()


def test_example_of_the_documentation_works(site: Site, alice: Any, alice_api: Api) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/rest.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    environment = {
        "PICLOUD_URL": f"http://127.0.0.1:{site.port}",
        "PICLOUD_API_KEY": str(alice_api.key.pk),
        "PICLOUD_API_SECRETKEY": alice_api.secret,
    }
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        found = wait_until(lambda: claim(alice), what="the example's job")
        assert found
        finish(found, result=pickle.dumps(42))
        assert process.communicate(timeout=20)[0] == "1 done 42\n"
    arguments = site.request("GET", "/api/v1/jobs/1/arguments", as_=alice_api).body
    assert pickle.loads(arguments) == ((6, 7), {})


# -- tokens of jobs ----------------------------------------------------------------------------


def bearer(user: Any, found: Any, *, worker: str = "w1") -> str:
    token = token_for_run(account_id=user.pk, worker=worker, jids=[job.jid for job in found.jobs])
    return f"Bearer {token}"


def test_token_serves_while_its_job_runs(site: Site, alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found
    token = bearer(alice, found)
    answer = site.request("POST", "/api/v1/jobs", pack([b"from inside"]), as_=token)
    assert answer.status == 201
    described = site.request("GET", "/api/v1/jobs/2", as_=token).json()
    assert described["attributes"]["parent_jid"] == 1
    finish(found)
    over = [site.results(token, [[1, 1]]), site.request("GET", "/api/v1/jobs/1", as_=token)]
    assert [(answer.status, answer.code) for answer in over] == [(401, "bad_token")] * 2


def test_token_is_its_accounts_alone(site: Site, alice: Any, charlie: Any) -> None:
    submit(alice)
    submit(charlie, count=2)
    found = claim(alice)
    assert found
    assert site.results(bearer(alice, found), [[2, 2]]).status == 404
    # Charlie has not got a job that runs, nor did this one run elsewhere.
    for token in (bearer(charlie, found), bearer(alice, found, worker="w2"), "Bearer x", "Bearer "):
        assert site.results(token, [[1, 1]]).code == "bad_token"


def test_job_cannot_make_itself_a_key(site: Site, alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found
    answer = site.request("POST", "/api/v1/keys", "{}", as_=bearer(alice, found))
    assert (answer.status, answer.code) == (403, "not_in_a_job")


# -- event streams -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/live/account", "/live/jobs/1/log"])
def test_streams_need_a_session(site: Site, alice: Any, alice_api: Api, path: str) -> None:
    submit(alice)
    by_key = site.request("GET", path, as_=alice_api)
    by_forgery = site.request("GET", path, Cookie=f"{settings.SESSION_COOKIE_NAME}={'a' * 32}")
    assert [(answer.status, answer.code) for answer in (by_key, by_forgery)] == [(401, "signed_out")] * 2


def test_strangers_log_is_unknown(site: Site, alice: Any, charlie_client: Client) -> None:
    submit(alice)
    for jid in (1, 2, 2**70):
        answer = site.request("GET", f"/live/jobs/{jid}/log", Cookie=cookie_of(charlie_client))
        assert (answer.status, answer.code) == (404, "job_unknown")


def test_log_of_a_finished_job_ends(site: Site, alice: Any, alice_client: Client) -> None:
    submit(alice)
    run_all(alice)
    with site.stream("/live/jobs/1/log", cookie_of(alice_client)) as stream:
        events = [stream.next() for _ in range(5)]
    assert [name for name, _ in events] == ["snapshot", "status", "snapshot", "end", ""]
    assert events[3][1] == {"status": "done"}


def test_output_arrives_while_the_job_runs(site: Site, alice: Any, alice_client: Client) -> None:
    submit(alice)
    found = claim(alice)
    assert found
    publish_output(found.jobs[0].pk, stream="stdout", text="one\n")
    with site.stream("/live/jobs/1/log", cookie_of(alice_client)) as stream:
        assert stream.next() == ("snapshot", {"stdout": "one\n", "stderr": "", "logging": ""})
        assert stream.next() == ("status", {"status": "processing"})
        publish_output(found.jobs[0].pk, stream="stderr", text="two\n")
        assert stream.next() == ("output", {"stream": "stderr", "text": "two\n"})
        finish(found)
        assert stream.next() == ("status", {"status": "done"})
        assert [stream.next()[0] for _ in range(2)] == ["snapshot", "end"]


def test_account_stream_tells_what_changed(site: Site, alice: Any, bob: Any, alice_client: Client) -> None:
    with site.stream("/live/account", cookie_of(alice_client)) as stream:
        assert stream.answer.readline() == b"retry: 2000\n"
        submit(bob)
        batch = submit(alice)
        assert stream.next() == ("batches", [batch.pk])


def test_account_stream_tells_of_jobs_that_waited_for_others(site: Site, alice: Any, alice_client: Client) -> None:
    submit(alice)
    behind = submit(alice, options={"depends_on": [[1, 1]]})
    found = claim(alice)
    assert found is not None
    with site.stream("/live/account", cookie_of(alice_client)) as stream:
        assert stream.answer.readline() == b"retry: 2000\n"
        finish(found, status=Status.ERROR)
        assert any(behind.pk in changed for _, changed in iter(stream.next, None))


def test_stream_ends_after_a_while_and_needs_a_session_again(
    site: Site, alice: Any, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAM_AGE", 0.0)
    submit(alice)
    claim(alice)
    cookie = cookie_of(alice_client)
    with site.stream("/live/jobs/1/log", cookie) as stream:
        assert [stream.next()[0] for _ in range(3)] == ["snapshot", "status", ""]
    alice_client.post("/sign-out/")
    assert site.request("GET", "/live/jobs/1/log", Cookie=cookie).code == "signed_out"


# -- both halves -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/results", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/jobs", 405, "method_not_allowed"),
        ("GET", "/live/nowhere", 404, "address_unknown"),
        ("POST", "/live/account", 405, "method_not_allowed"),
        ("POST", "/api/v1/resultsx", 404, "address_unknown"),
        ("POST", "/api/v1/jobs/", 404, "address_unknown"),
        ("GET", "/api/v1/%00%ff", 404, "address_unknown"),
    ],
)
def test_wrong_addresses_are_answered_alike(site: Site, method: str, path: str, status: int, code: str) -> None:
    answer = site.request(method, path)
    assert (answer.status, answer.code) == (status, code)


def test_answers_of_both_halves_are_not_sniffed(site: Site, alice: Any, alice_api: Api) -> None:
    submit(alice)
    for answer in (site.results(alice_api, [[1, 1]]), site.results(None, []), site.request("GET", "/api/v1/jobs")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_refused_keys_are_answered_alike(site: Site) -> None:
    waiting, django = site.results("Basic MTox", [[1, 1]]), site.request("GET", "/api/v1/jobs", as_="Basic MTox")
    assert (waiting.status, waiting.json()) == (django.status, django.json())
    assert waiting.headers["WWW-Authenticate"] == django.headers["WWW-Authenticate"] == 'ApiKey realm="PiCloud"'


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/v1/jobs?text=\xff\xfe HTTP/1.1\nHost: localhost",
        "GET /jobs/\xff HTTP/1.1\nHost: localhost",
        f"POST /api/v1/keys HTTP/1.1\nHost: localhost\nContent-Length: 0\nContent-Type: a/b; {'x=y;' * 4000}",
        "POST /api/v1/keys HTTP/1.1\nHost: localhost\nContent-Length: 0\nContent-Type: a/b; charset=\xff",
        "GET /jobs/ HTTP/1.1\nHost: localhost\nCookie: \xff=\x01",
        "GET /jobs/ HTTP/1.1\nHost: localhost\nContent-Length: 99999999999999999999999",
        "GET /jobs/ HTTP/1.1\nHost: ../..",
    ],
)
def test_odd_heads_are_no_defect(site: Site, head: str) -> None:
    status = int(site.raw(head).split()[1])
    assert 300 <= status < 500


def test_silent_client_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picloud_site.asgi.SILENCE", 0.2)
    kind = "application/x-www-form-urlencoded"
    head = f"POST /sign-in/ HTTP/1.1\nHost: localhost\nContent-Length: 99\nContent-Type: {kind}"
    assert site.raw(head, b"username=").startswith(b"HTTP/1.1 403")


def served(send: Any, method: str, path: str, messages: list[Any], **headers: str) -> None:
    """One request to the whole application, as an ASGI server makes it."""
    from picloud_site.asgi import application

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> Any:
        return messages.pop(0)

    async def serve() -> None:
        async with asyncio.timeout(20):
            await application(scope, receive, send)

    asyncio.run(serve())


def hung_up(path: str, cookie: str, body: bytes, content_type: str) -> int:
    """The status of a POST whose sender hangs up in the middle of it."""
    answered: list[Any] = []

    async def send(message: Any) -> None:
        answered.append(message)

    messages = [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]
    headers = {"host": "localhost", "cookie": cookie, "content_type": content_type, "content_length": "100000"}
    served(send, "POST", path, messages, **headers)
    return int(answered[0]["status"])


def test_answer_that_nobody_takes_keeps_no_thread(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picloud_site.asgi.SILENCE", 0.2)
    tries = []

    async def never_taken(message: Any) -> None:
        tries.append(message)
        await asyncio.Event().wait()

    served(never_taken, "GET", "/sign-in/", [], host="localhost")
    assert [message["type"] for message in tries] == ["http.response.start"]


def test_form_upload_that_is_cut_off_leaves_the_old_file(file_store: Any, alice: Any, alice_client: Client) -> None:
    save_file(account=alice, name="a.txt", stream=BytesIO(b"old and whole"), size=13)
    csrf = alice_client.get("/files/").cookies[settings.CSRF_COOKIE_NAME].value
    form = (
        f'--B\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{csrf}\r\n'
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nnew and cut o'
    )
    cookies = f"{cookie_of(alice_client)}; {settings.CSRF_COOKIE_NAME}={csrf}"
    assert hung_up("/files/", cookies, form.encode(), "multipart/form-data; boundary=B") == 400
    assert b"".join(serve(alice_client, "/files/a.txt/")) == b"old and whole"


def serve(client: Client, path: str) -> Any:
    return client.get(path).streaming_content
