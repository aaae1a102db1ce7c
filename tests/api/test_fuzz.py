"""Nothing that anybody sends is a defect: odd values in every place of every request are refused or taken."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.requests import Request

from api import live
from common import packs
from common.exceptions import Refused
from tests.submitting import FUNCTION, Api, header, submit

pytestmark = pytest.mark.usefixtures("base_environment")
often = hypothesis_settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**31 - 1, 2**63, 2**63 - 1, 2**64, 10**400, -(2**63) - 1]),
    st.floats(allow_nan=True, allow_infinity=True),
)
TEXTS = st.one_of(
    st.text(alphabet=st.characters()),
    st.sampled_from(["\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e", "x" * 5000, "all", "c1", "%s", "'; --", "../x"]),
)
ATOMS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JUNK = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
) | st.just([[[[[[[[[[]]]]]]]]]])
DEEP = "[" * 900 + "]" * 900


def mostly(valid: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The valid object with some of its values, at any depth, changed for others, left out, or added to."""
    parts = {
        name: (mostly(value) | JUNK) if isinstance(value, dict) and value else st.just(value) | JUNK
        for name, value in valid.items()
    }
    return st.fixed_dictionaries({}, optional=parts) | st.fixed_dictionaries(parts, optional={"more": JUNK})


RANGES = st.one_of(
    JUNK, st.lists(st.lists(NUMBERS, min_size=1, max_size=3) | NUMBERS, max_size=5), st.just(json.loads(DEEP))
)
QUESTIONS = {
    "info": st.fixed_dictionaries({"jids": RANGES | st.just([1])}, optional={"fields": JUNK | st.lists(TEXTS)}),
    "kill": st.fixed_dictionaries({"jids": RANGES}),
    "delete": st.fixed_dictionaries({"jids": RANGES}),
    "keys": mostly({"note": "x"}),
    "files/a/upload": mostly({"size": 5, "content_type": "text/plain"}),
    "files/a/finish": mostly({"upload": "x", "md5": "0" * 32}),
    "jobs/1/rerun": JUNK,
    "schedule": mostly({"schedule": "* * * * *", "timezone": "Europe/Berlin"}),
    "realtime": mostly(
        {"type": "c1", "cores": 1, "max_hours": 2, "starts_at": "2027-01-01T09:00:00Z", "request_key": "12345678"}
    ),
    "realtime/windows": mostly(
        {"type": "c1", "cores": 1, "weekdays": [0, 6], "begins": "09:00", "ends": "18:00", "timezone": "UTC"}
    ),
}


def no_defect(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"]
        assert len(answer.content) < 10_000


def ask(api: Api, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> None:
    """One request that leaves nothing behind."""
    with transaction.atomic():
        no_defect(api.client.generic(method, path, body, content_type))
        transaction.set_rollback(True)


@pytest.fixture
def job_of_alice(alice: Any, base_environment: Any) -> None:
    submit(alice)


@pytest.mark.usefixtures("job_of_alice", "file_store")
@pytest.mark.parametrize("path", QUESTIONS)
def test_odd_questions(alice_api: Api, path: str) -> None:
    @often
    @given(QUESTIONS[path] | JUNK)
    def run(question: Any) -> None:
        ask(alice_api, "POST", f"/api/v1/{path}", json.dumps(question).encode())

    run()


@pytest.mark.usefixtures("job_of_alice")
@pytest.mark.parametrize("path", ["info", "keys", "jobs", "files/a/finish"])
def test_bytes_that_are_no_question(alice_api: Api, path: str) -> None:
    @often
    @given(st.binary() | st.sampled_from([DEEP.encode(), b'{"jids":' + DEEP.encode() + b"}", b"1" * 5000]))
    def run(body: bytes) -> None:
        ask(alice_api, "POST", f"/api/v1/{path}", body)

    run()


VALID = header([b"arguments"], options={"type": "c1", "label": "x", "env_vars": {"A": "b"}, "depends_on": []})


@often
@given(head=mostly(VALID), function=st.just(FUNCTION) | st.binary(), item=st.just(b"arguments") | st.binary())
def test_odd_submits(alice_api: Api, head: Any, function: bytes, item: bytes) -> None:
    ask(alice_api, "POST", "/api/v1/jobs", packs.build(head, function, item), packs.CONTENT_TYPE)


@pytest.mark.parametrize("place", [*VALID, *(f"function.{name}" for name in VALID["function"]), "options.env_vars"])
def test_one_odd_place_in_a_submit(alice_api: Api, place: str) -> None:
    outer, _, inner = place.partition(".")

    @often
    @given(JUNK | st.just(json.loads(DEEP)))
    def run(value: Any) -> None:
        head = {**VALID, outer: {**VALID[outer], inner: value} if inner else value}
        ask(alice_api, "POST", "/api/v1/jobs", packs.build(head, FUNCTION, b"arguments"), packs.CONTENT_TYPE)

    run()


TERMS = {
    "label": "x",
    "schedule": "*/5 * * * *",
    "timezone": "UTC",
    "overlap": "skip",
    "catch_up": "all",
    "start_grace_s": 5,
}


@often
@given(mostly(TERMS) | JUNK)
def test_odd_registrations(alice_api: Api, terms: Any) -> None:
    head = {**VALID, "options": {}, "cron": terms}
    ask(alice_api, "POST", "/api/v1/crons", packs.build(head, FUNCTION, b"arguments"), packs.CONTENT_TYPE)


def test_odd_changes_of_a_cron(alice_api: Api) -> None:
    head = {**VALID, "options": {}, "cron": TERMS}
    alice_api.client.post("/api/v1/crons", packs.build(head, FUNCTION, b"arguments"), packs.CONTENT_TYPE)
    rest = {name: value for name, value in TERMS.items() if name != "label"}

    @often
    @given(mostly({**rest, "paused": True, "alerts": False}) | JUNK)
    def run(wanted: Any) -> None:
        ask(alice_api, "PATCH", "/api/v1/crons/x", json.dumps(wanted).encode())

    run()


@often
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), NUMBERS | TEXTS)
def test_odd_labels_and_places_in_addresses(alice_api: Api, label: str, place: Any) -> None:
    for path in (f"crons/{quote(label, safe='')}", f"crons/{quote(label, safe='')}/runs"):
        ask(alice_api, "GET", f"/api/v1/{path}?before={quote(str(place).encode(errors='replace'))}")
    ask(alice_api, "GET", f"/api/v1/crons?after={quote(label)}&limit={quote(str(place).encode(errors='replace'))}")


@pytest.mark.usefixtures("job_of_alice")
@often
@given(mostly({"jids": [[1, 1]], "wait": 0, "data": True, "max_bytes": 10}) | JUNK)
def test_odd_questions_for_results(alice_api: Api, question: Any) -> None:
    key = alice_api.client.defaults["HTTP_AUTHORIZATION"].encode()
    request = Request({"type": "http", "headers": [(b"authorization", key)]})
    with suppress(Refused):
        live._look(live._read_request(request, json.dumps(question).encode()), final=True)


FILTERS = ["status", "label", "function", "type", "since", "until", "text", "before", "limit"]


@often
@given(st.dictionaries(st.sampled_from(FILTERS), TEXTS | NUMBERS.map(str) | st.dates().map(str)))
def test_odd_filters(alice_api: Api, filters: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in filters.items())
    ask(alice_api, "GET", f"/api/v1/jobs?{query}")


@pytest.mark.parametrize("path", ["jobs/{}", "jobs/{}/logs?stream={}", "files/{}", "keys/{}/activate", "{}"])
def test_odd_addresses(alice_api: Api, file_store: Any, path: str) -> None:
    @often
    @given(TEXTS | NUMBERS.map(str), st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH"]))
    def run(part: str, method: str) -> None:
        address = "/api/v1/" + path.replace("{}", quote(part, safe="", errors="replace"))
        answer = alice_api.client.generic(method, address, b"x", "text/plain")
        assert answer.status_code < 500

    run()


@often
@given(st.sampled_from(["Basic ", "Bearer ", "basic", "", "Digest "]), st.binary() | st.text(alphabet="Aa0:=.-_/+ "))
def test_odd_credentials(client: Any, db: None, scheme: str, credentials: bytes | str) -> None:
    text = credentials.decode("latin-1") if isinstance(credentials, bytes) else credentials
    answer = client.get("/api/v1/jobs", headers={"Authorization": scheme + text})
    assert answer.status_code == 401
