"""Who gets what at every address: nobody, a stranger, the owner, and whoever holds a key that is no good.

Tables say for each address whose things it is about. An address without a row fails a test.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services import create_api_key, deactivate_key
from api.operations import OPERATIONS, Operation
from billing.models import Brake, Budget
from billing.services.budgets import set_budget
from billing.services.usage import post_usage
from common import packs
from crons.models import Cron
from jobs.models import Batch, Job
from realtime.models import Reservation, ReservationWindow
from storage.models import StoredFile
from tests.submitting import Api, pack, run_all, submit

# Words that stand on things of Alice's alone.
MARKS = ("alices-label", "alices-cron", "alices-file", "alices-note", "alice@example.org")
# Who asks for one of these by its name may be told that name.
NAMED = {"{name}": "alices-file.txt", "{label}": "alices-cron"}
LOGINS = "/sign-in/"


class Row(NamedTuple):
    """How Alice asks. `of`: "own" when everybody gets their own there, "theirs" when it names a thing of Alice's."""

    of: str
    body: Any = None


WEEKLY = {"type": "c1", "cores": 1, "weekdays": [0], "begins": "09:00", "ends": "18:00"}
API = {
    "submit": Row("own", pack([b"x"])),
    "listJobs": Row("own"),
    "info": Row("theirs", {"jids": [[1, 1]], "fields": ["all"]}),
    "getJob": Row("theirs"),
    "getFunction": Row("theirs"),
    "getArguments": Row("theirs"),
    "getLog": Row("theirs"),
    "rerun": Row("theirs"),
    "listCrons": Row("own"),
    "registerCron": Row("own", pack([b"x"], cron={"label": "another", "schedule": "@daily"})),
    "getCron": Row("theirs"),
    "changeCron": Row("theirs", {"paused": True}),
    "removeCron": Row("theirs"),
    "runCron": Row("theirs"),
    "listRuns": Row("theirs"),
    "previewSchedule": Row("own", {"schedule": "@daily"}),
    "estimate": Row("own", {"function": {"digest": "0" * 64}}),
    "listReservations": Row("own"),
    "requestCores": Row("own", {"type": "c1", "cores": 1}),
    "quoteCores": Row("own"),
    "getReservation": Row("theirs"),
    "changeReservation": Row("theirs", {"max_hours": 3}),
    "releaseReservation": Row("theirs"),
    "listWindows": Row("own"),
    "addWindow": Row("own", WEEKLY),
    "removeWindow": Row("theirs"),
    "listBudgets": Row("own"),
    "setBudget": Row("own", {"amount": 5, "scope": "label", "name": "another"}),
    "getBudget": Row("theirs"),
    "changeBudget": Row("theirs", {"amount": 6}),
    "removeBudget": Row("theirs"),
    "waiveBudget": Row("theirs"),
    "liftBrake": Row("theirs"),
    "kill": Row("theirs", {"jids": [[1, 1]]}),
    "delete": Row("theirs", {"jids": [[1, 1]]}),
    "findModules": Row("own", {"digests": []}),
    "putModules": Row("own", b"bytes"),
    "listFiles": Row("own"),
    "getFile": Row("theirs"),
    "headFile": Row("theirs"),
    "putFile": Row("own", b"bytes"),
    "deleteFile": Row("theirs"),
    "prepareUpload": Row("own", {"size": 5}),
    "finishUpload": Row("refused", {"upload": "a token of nobody"}),
    "getMonth": Row("own"),
    "listEntries": Row("own"),
    "listStatements": Row("own"),
    "getStatement": Row("own"),
    "getEntriesCsv": Row("own"),
    "listRates": Row("own"),
    "listKeys": Row("own"),
    "createKey": Row("own", {"note": "another"}),
    "deactivateKey": Row("theirs"),
    "activateKey": Row("theirs"),
    "account": Row("own"),
    "coreTypes": Row("own"),
    "environments": Row("own"),
    "environment": Row("own"),
    "openapi": Row("public"),
    "health": Row("public"),
}
# Answered outside of Django: their rows are tests in test_live.py.
LIVE = {"results", "streamAccount", "streamLog"}


class Thing(NamedTuple):
    """What Alice has, and her keys."""

    api: Api
    key: ApiKey

    def address(self, path: str) -> str:
        found = {"jid": 1, "name": "alices-file.txt", "key_id": self.key.pk, "label": "alices-cron"}
        found["month"] = f"{timezone.now():%Y-%m}"
        found["digest"] = hashlib.sha256(b"bytes").hexdigest()
        kind = {"brakes": Brake, "budgets": Budget}.get(path.split("/")[3])
        found["number"] = kind.objects.get(account=self.key.user).pk if kind else 1
        if path.startswith("/api/v1/environments/"):
            found["name"] = "base"
        if path.endswith("/quote"):
            path += "?type=c1&cores=1"
        return re.sub(r"{(\w+)}", lambda match: str(found[match[1]]), path)


@pytest.fixture
def things(base_environment: Any, file_store: Any, alice: Any, alice_api: Api, settings: Any) -> Thing:
    settings.REALTIME_MAX_CORES = settings.REALTIME_MAX_CORES_IN_ALL = 9
    submit(alice, options={"label": "alices-label"})
    run_all(alice)
    post_usage()
    alice_api.client.put("/api/v1/files/alices-file.txt", b"text", content_type="text/plain")
    cron = pack([b"arguments"], cron={"label": "alices-cron", "schedule": "@daily"})
    alice_api.client.post("/api/v1/crons", cron, content_type=packs.CONTENT_TYPE)
    alice_api.post("realtime", {"type": "c1", "cores": 1})
    alice_api.post("realtime/windows", WEEKLY)
    set_budget(account=alice, scope="label", name="alices-label", amount=9)
    key = create_api_key(user=alice, note="alices-note")[0]
    Brake.objects.create(account=alice, api_key=key.pk, sentence="alices-note")
    return Thing(alice_api, key)


def state(account: Any) -> Any:
    """All that somebody could have changed of an account."""
    return (
        list(Job.objects.filter(account=account).values_list("jid", "status", "kill_requested_at")),
        list(Batch.objects.filter(account=account).values_list("pk", flat=True)),
        list(StoredFile.objects.filter(account=account).values_list("name", "key")),
        list(
            Cron.objects.filter(account=account).values_list(
                "label", "schedule", "paused_at", "overlap", "alerts", "registration"
            )
        ),
        list(Reservation.objects.filter(account=account).values_list("number", "state", "max_hours")),
        list(ReservationWindow.objects.filter(account=account).values_list("number", "removed_at")),
        list(ApiKey.objects.filter(user=account).values_list("pk", "is_active")),
        list(Budget.objects.filter(account=account).values_list("name", "limit", "action", "waived_month")),
        list(Brake.objects.filter(account=account).values_list("pk", "lifted_at")),
    )


def ask(client: Client, method: str, path: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    content_type = packs.CONTENT_TYPE if isinstance(body, bytes) else "application/json"
    if method in ("GET", "HEAD", "DELETE"):
        return client.generic(method, path, headers=headers)
    return client.generic(method, path, data, content_type, headers=headers)


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def text_of(answer: Any) -> str:
    content: bytes = answer.getvalue() if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def test_every_operation_has_a_row() -> None:
    assert {operation.id for operation in OPERATIONS} == set(API) | LIVE


ROWS = [operation for operation in OPERATIONS if operation.id in API]
KEPT = [operation for operation in ROWS if API[operation.id].of != "public"]


def ask_without_a_good_key(operation: Operation, things: Thing, alice: Any, session: Client) -> None:
    path, body = things.address(operation.server + operation.path), API[operation.id].body
    revoked = Api(alice)
    deactivate_key(user=alice, key_id=revoked.key.pk)
    wrong = base64.b64encode(f"{things.key.pk}:wrong".encode()).decode()
    asked = {
        "no_key": ask(Client(), operation.method, path, body),
        "bad_key": ask(Client(), operation.method, path, body, Authorization=f"Basic {wrong}"),
        "key_inactive": ask(revoked.client, operation.method, path, body),
        "bad_token": ask(Client(), operation.method, path, body, Authorization="Bearer a.b.c"),
    }
    # A page of another site could use a session.
    by_session = ask(session, operation.method, path, body)
    assert {answer.status_code for answer in (*asked.values(), by_session)} == {401}
    if operation.method != "HEAD":
        assert [code(answer) for answer in asked.values()] == list(asked)
    revoked.key.delete()


def ask_as_a_stranger(operation: Operation, things: Thing, stranger: Api) -> None:
    row = API[operation.id]
    answer = ask(stranger.client, operation.method, things.address(operation.server + operation.path), row.body)
    allowed = {"own": (200, 201, 204), "theirs": (404,), "refused": (400,)}[row.of]
    assert answer.status_code in allowed
    names_it_himself = next((named for part, named in NAMED.items() if part in operation.path), "-")
    told = text_of(answer).replace(names_it_himself, "")
    assert [mark for mark in MARKS if mark in told] == []


@pytest.mark.parametrize("operation", KEPT, ids=lambda operation: operation.id)
def test_operation_is_for_the_owner_alone(
    operation: Operation, things: Thing, alice: Any, alice_client: Client, charlie_api: Api
) -> None:
    before = state(alice)
    ask_without_a_good_key(operation, things, alice, alice_client)
    ask_as_a_stranger(operation, things, charlie_api)
    assert state(alice) == before
    row = API[operation.id]
    answer = ask(things.api.client, operation.method, things.address(operation.server + operation.path), row.body)
    assert answer.status_code in ((400,) if row.of == "refused" else (200, 201, 204))


@pytest.mark.parametrize("operation", [op for op in ROWS if op not in KEPT], ids=lambda operation: operation.id)
def test_public_answers_tell_of_nobody(operation: Operation, things: Thing) -> None:
    answer = ask(Client(), operation.method, operation.server.replace("{", "") + operation.path, None)
    assert answer.status_code in (200, 503)
    assert [mark for mark in MARKS if mark in text_of(answer)] == []


def test_strangers_job_cannot_be_waited_for_by_a_new_one(things: Thing, charlie_api: Api) -> None:
    answer = charlie_api.submit(options={"depends_on": [[1, 1]]})
    assert (answer.status_code, code(answer)) == (404, "job_unknown")


# -- pages -------------------------------------------------------------------------------------


class Page(NamedTuple):
    """One method of a page. `of`: as above; "public" for everybody, "operator" when nobody else is told of it."""

    method: str
    of: str
    data: Any = None


JID = {"jid": 1}
FILE = {"name": "alices-file.txt"}
CRON = {"label": "alices-cron"}
NUMBER = {"number": 1}
MONTH = {"month": f"{timezone.now():%Y-%m}"}
TIME = {"schedule": "@daily", "timezone": "UTC"}
OPTIONS = {"overlap": "skip", "catch_up": "none", "start_grace": "1"}
BUDGET = {"amount": "7.50", "action": "mail"}
PAGES: dict[str, tuple[dict[str, Any], list[Page]]] = {
    "jobs:list": ({}, [Page("GET", "own")]),
    "jobs:rows": (
        {},
        [Page("GET", "own"), Page("GET", "own", {"ids": "1"}), Page("GET", "theirs", {"batch": "batch"})],
    ),
    "jobs:bulk_kill": ({}, [Page("POST", "own", {"jid": "1", "confirm": "1"})]),
    "jobs:bulk_delete": ({}, [Page("POST", "own", {"batch": "batch", "confirm": "1"})]),
    "jobs:detail": (JID, [Page("GET", "theirs")]),
    "jobs:log": ({**JID, "stream": "stdout"}, [Page("GET", "theirs")]),
    "jobs:kill": (JID, [Page("POST", "theirs", {"confirm": "1"})]),
    "jobs:rerun": (JID, [Page("POST", "theirs")]),
    "crons:list": ({}, [Page("GET", "own")]),
    "crons:detail": (CRON, [Page("GET", "theirs")]),
    "crons:edit": (CRON, [Page("GET", "theirs"), Page("POST", "theirs", TIME)]),
    "crons:options": (CRON, [Page("POST", "theirs", OPTIONS)]),
    "crons:run": (CRON, [Page("POST", "theirs")]),
    "crons:pause": (CRON, [Page("POST", "theirs")]),
    "crons:resume": (CRON, [Page("POST", "theirs")]),
    "crons:alerts": (CRON, [Page("POST", "theirs", {"alerts": "off"})]),
    "crons:remove": (CRON, [Page("GET", "theirs"), Page("POST", "theirs")]),
    "crons:from_job": (JID, [Page("GET", "theirs"), Page("POST", "theirs", {"label": "daily", **TIME, **OPTIONS})]),
    "realtime:list": ({}, [Page("GET", "own"), Page("POST", "own", {"core_type": "c1", "cores": "1"})]),
    "realtime:detail": (NUMBER, [Page("GET", "theirs")]),
    "realtime:release": (NUMBER, [Page("POST", "theirs")]),
    "realtime:duration": (NUMBER, [Page("POST", "theirs", {"max_hours": "3"})]),
    "realtime:window_new": ({}, [Page("GET", "own"), Page("POST", "own", {"core_type": "c1"})]),
    "realtime:window_remove": (NUMBER, [Page("POST", "theirs")]),
    "billing:budgets": ({}, [Page("GET", "own")]),
    "billing:budget_set": ({}, [Page("POST", "own", {**BUDGET, "scope": "label", "name": "another"})]),
    "billing:budget_edit": ({"number": "budget"}, [Page("GET", "theirs"), Page("POST", "theirs", BUDGET)]),
    "billing:budget_remove": ({"number": "budget"}, [Page("GET", "theirs"), Page("POST", "theirs")]),
    "billing:budget_waive": ({"number": "budget"}, [Page("POST", "theirs")]),
    "billing:brake_lift": ({"number": "brake"}, [Page("POST", "theirs")]),
    "files:list": ({}, [Page("GET", "own"), Page("POST", "own", {})]),
    "files:download": (FILE, [Page("GET", "theirs"), Page("HEAD", "theirs"), Page("PUT", "own", b"bytes")]),
    "files:delete": (FILE, [Page("GET", "theirs"), Page("POST", "theirs")]),
    "billing:month": ({}, [Page("GET", "own")]),
    "billing:entries": ({}, [Page("GET", "own")]),
    "billing:rates": ({}, [Page("GET", "own")]),
    "billing:statements": ({}, [Page("GET", "own")]),
    "billing:statement": (MONTH, [Page("GET", "own")]),
    "billing:csv": (MONTH, [Page("GET", "own")]),
    "billing:json": (MONTH, [Page("GET", "own")]),
    "capacity:overview": ({}, [Page("GET", "operator")]),
    "billing:operate": ({}, [Page("GET", "operator")]),
    "billing:reconcile": ({}, [Page("POST", "operator")]),
    "accounts:profile": ({}, [Page("GET", "own"), Page("POST", "own", {"time_zone": "UTC", "email": ""})]),
    "accounts:password_change": ({}, [Page("GET", "own"), Page("POST", "own", {"old_password": "x"})]),
    "accounts:keys": ({}, [Page("GET", "own")]),
    "accounts:key_create": ({}, [Page("POST", "own", {"note": "another"})]),
    "accounts:key_deactivate": ({"key_id": "key"}, [Page("POST", "theirs")]),
    "accounts:key_activate": ({"key_id": "key"}, [Page("POST", "theirs")]),
    "accounts:welcome": ({}, [Page("GET", "own"), Page("POST", "own")]),
    "accounts:sign_up": ({}, [Page("GET", "public"), Page("POST", "public", {})]),
    "accounts:sign_in": ({}, [Page("GET", "public"), Page("POST", "public", {})]),
    "accounts:sign_out": ({}, [Page("POST", "public")]),
    "accounts:password_reset": ({}, [Page("GET", "public"), Page("POST", "public", {})]),
    "accounts:password_reset_sent": ({}, [Page("GET", "public")]),
    "accounts:password_reset_confirm": ({"uidb64": "MQ", "token": "a-b"}, [Page("GET", "public")]),
    "accounts:password_reset_done": ({}, [Page("GET", "public")]),
    "common:favicon": ({}, [Page("GET", "public")]),
    "common:theme": ({}, [Page("POST", "public", {"theme": "dark"})]),
}
CASES = [(name, page) for name, (_, pages) in PAGES.items() for page in pages]
CASE_IDS = [f"{page.method} {name} {number}" for number, (name, page) in enumerate(CASES)]


def named(patterns: list[Any], space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from named(pattern.url_patterns, space + inner)
        else:
            yield space + (pattern.name or ""), pattern


def test_every_page_has_a_row() -> None:
    names = {name for name, _ in named(get_resolver().url_patterns) if not name.startswith(("api:", "admin:"))}
    elsewhere = {"", "healthz"}  # the root leads to the jobs, and health has its own row
    admin = {name for name in names if name.startswith("django_rq")}
    assert names - elsewhere - admin == set(PAGES)


def open_page(client: Client, name: str, page: Page, things: Thing) -> Any:
    variable: dict[Any, Any] = {"key": things.key.pk, "batch": Batch.objects.get(account=things.key.user).pk}
    variable["budget"] = Budget.objects.get(account=things.key.user).pk
    variable["brake"] = Brake.objects.get(account=things.key.user).pk
    arguments = {part: variable.get(value, value) for part, value in PAGES[name][0].items()}
    data = page.data
    if isinstance(data, dict):
        data = {part: variable.get(value, value) for part, value in data.items()}
    if page.method == "PUT":
        return client.put(reverse(name, kwargs=arguments), data)
    return getattr(client, page.method.lower())(reverse(name, kwargs=arguments), data)


def open_as_nobody(client: Client, name: str, page: Page, things: Thing) -> None:
    answer = open_page(client, name, page, things)
    if page.of == "public":
        assert answer.status_code in (200, 301, 302, 400)
    elif page.method == "PUT":
        assert answer.status_code in (401, 403)
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith(LOGINS)
    assert [mark for mark in MARKS if mark in text_of(answer)] == []


def open_as_a_stranger(client: Client, name: str, page: Page, things: Thing) -> None:
    answer = open_page(client, name, page, things)
    assert answer.status_code in {"theirs": (404,), "operator": (404,)}.get(page.of, (200, 301, 302, 400))
    told = text_of(answer)
    for named_by_himself in filter(None, (PAGES[name][0].get(part) for part in ("name", "label"))):
        told = told.replace(named_by_himself, "")
    assert [mark for mark in MARKS if mark in told] == []


def open_from_another_site(alice: Any, name: str, page: Page, things: Thing) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert open_page(client, name, page, things).status_code == 403


@pytest.mark.parametrize(("name", "page"), CASES, ids=CASE_IDS)
def test_page_is_for_the_owner_alone(
    request: pytest.FixtureRequest, name: str, page: Page, things: Thing, alice: Any
) -> None:
    before = state(alice)
    open_as_nobody(Client(), name, page, things)
    # A key is no way to a page.
    open_as_nobody(things.api.client, name, page, things)
    open_as_a_stranger(request.getfixturevalue("charlie_client"), name, page, things)
    if page.method in ("POST", "PUT"):
        open_from_another_site(alice, name, page, things)
    assert state(alice) == before
    answer = open_page(request.getfixturevalue("alice_client"), name, page, things)
    assert answer.status_code in ((404,) if page.of == "operator" else (200, 301, 302, 400))
    if answer.status_code == 302:
        assert name == "accounts:sign_out" or not answer["Location"].startswith(LOGINS)


# -- the admin site ----------------------------------------------------------------------------

# What tells nothing: signing in and out, and a script of words.
OPEN_IN_ADMIN = {"admin:login", "admin:logout", "admin:jsi18n"}


def admin_address(name: str) -> str:
    for arguments in ([], ["1"], ["1", "1"]):
        with suppress(NoReverseMatch):
            return reverse(name, args=arguments)
    return ""


def test_admin_site_is_closed_to_people(client: Client, things: Thing, charlie_client: Client) -> None:
    names = {name for name, _ in named(get_resolver().url_patterns) if name.startswith("admin:")}
    addresses = {admin_address(name) for name in names - OPEN_IN_ADMIN} - {""}
    assert len(addresses) > 30
    for someone in (client, charlie_client):
        answers = {address: someone.get(address) for address in addresses}
        redirects = {address: answer for address, answer in answers.items() if answer.status_code == 302}
        assert {answers[address].status_code for address in addresses - set(redirects)} <= {401}
        assert all(answer["Location"].startswith("/admin/login/") for answer in redirects.values())
