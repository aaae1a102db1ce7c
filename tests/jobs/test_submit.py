"""Submitting over HTTP: what is accepted, once, and what is refused with which sentence."""

from typing import Any

import pytest

from common import packs
from environments.models import Environment
from jobs.models import Batch, Blob, Job
from tests.submitting import Api, header, pack, submit


def error_of(answer: Any) -> str:
    return str(answer.json()["error"]["message"])


def test_call_is_queued_under_the_first_jid(alice_api: Api) -> None:
    answer = alice_api.submit()
    assert answer.status_code == 201
    assert answer.json() == {"first_jid": 1, "last_jid": 1, "count": 1, "url": "/jobs/1/"}
    assert Job.objects.get().status == "queued"


def test_map_gets_contiguous_jids(alice: Any, alice_api: Api) -> None:
    submit(alice)
    answer = alice_api.submit([b"a", b"b", b"c"])
    assert (answer.json()["first_jid"], answer.json()["last_jid"]) == (2, 4)
    assert list(Job.objects.order_by("jid").values_list("jid", "index"))[1:] == [(2, 0), (3, 1), (4, 2)]


def test_jids_count_in_each_account(alice_api: Api, charlie_api: Api) -> None:
    alice_api.submit()
    assert charlie_api.submit().json()["first_jid"] == 1


def test_repeated_request_is_the_same_job(alice_api: Api) -> None:
    body = pack([b"arguments"])
    first = alice_api.client.post("/api/v1/jobs", body, content_type=packs.CONTENT_TYPE)
    again = alice_api.client.post("/api/v1/jobs", body, content_type=packs.CONTENT_TYPE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Job.objects.count() == 1


def test_long_map_arrives_in_parts(alice_api: Api) -> None:
    fields = {"idempotency_key": "k" * 32, "total": 5}
    alice_api.submit([b"a", b"b", b"c"], **fields)
    alice_api.submit([b"d", b"e"], first=3, **fields)
    alice_api.submit([b"d", b"e"], first=3, **fields)
    batch = Batch.objects.get()
    assert (batch.size, batch.received, batch.n_queued) == (5, 5, 5)
    assert list(batch.jobs.order_by("jid").values_list("jid", flat=True)) == [1, 2, 3, 4, 5]


def test_second_part_without_the_first_is_refused(alice_api: Api) -> None:
    assert alice_api.submit([b"d"], first=3, total=5).status_code == 409


def test_function_is_stored_once(alice_api: Api) -> None:
    alice_api.submit()
    known = header([b"other"])
    known["function"]["size"] = 0
    answer = alice_api.client.post("/api/v1/jobs", packs.build(known, b"other"), content_type=packs.CONTENT_TYPE)
    assert answer.status_code == 201
    assert Batch.objects.values("function_blob").distinct().count() == 1


def test_unknown_function_is_asked_for(alice_api: Api) -> None:
    unknown = header([b"x"])
    unknown["function"]["size"] = 0
    answer = alice_api.client.post("/api/v1/jobs", packs.build(unknown, b"x"), content_type=packs.CONTENT_TYPE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "function_unknown")


def test_another_accounts_function_is_unknown(alice_api: Api, charlie_api: Api) -> None:
    alice_api.submit()
    unknown = header([b"x"])
    unknown["function"]["size"] = 0
    answer = charlie_api.client.post("/api/v1/jobs", packs.build(unknown, b"x"), content_type=packs.CONTENT_TYPE)
    assert answer.json()["error"]["code"] == "function_unknown"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"type": "z9"}, "no core type 'z9'"),
        ({"type": "c1", "cores": 2}, "1 core, not 2"),
        ({"type": "c2", "cores": 3}, "1, 2, 4, 8 cores, not 3"),
        ({"cores": True}, "cores must be a whole number"),
        ({"label": "naïve"}, "printable ASCII"),
        ({"label": "x" * 201}, "200 is the limit"),
        ({"priority": "high"}, "priority must be a whole number"),
        ({"max_runtime": 0}, "max_runtime must be a number of minutes above 0"),
        ({"max_runtime": float("nan")}, "max_runtime must be a number of minutes"),
        ({"restartable": 1}, "restartable must be true or false"),
        ({"depends_on": [[7, 7]]}, "no job 7"),
        ({"depends_on": "7"}, "list of [first, last] ranges"),
        ({"depends_on_errors": "maybe"}, "'abort' or 'ignore'"),
        ({"env_vars": {"A B": "x"}}, "'A B' must be a variable name"),
        ({"gpu": 1}, "Unknown option 'gpu'"),
    ],
)
def test_bad_option_is_refused_by_name(alice_api: Api, options: dict[str, Any], sentence: str) -> None:
    answer = alice_api.submit(options=options)
    assert answer.status_code in (400, 404)
    assert sentence in error_of(answer)
    assert not Batch.objects.exists()


def test_other_python_is_refused_with_what_there_is(alice_api: Api) -> None:
    answer = alice_api.submit(client={"python": "3.13"})
    assert answer.status_code == 400
    assert "Your Python is 3.13; jobs here run Python 3.11" in error_of(answer)


def test_missing_environment_is_said(alice_api: Api) -> None:
    Environment.objects.all().delete()
    assert alice_api.submit().status_code in (404, 409)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"total": 10_001}, "10,000 jobs at most"),
        ({"sizes": [16_000_001]}, "16,000,000 is the limit"),
        ({"sizes": []}, "sizes must be a list"),
        ({"sizes": [3]}, "bytes where the header announces"),
        ({"idempotency_key": "short"}, "idempotency_key"),
    ],
)
def test_bad_header_is_refused(alice_api: Api, fields: dict[str, Any], sentence: str) -> None:
    answer = alice_api.submit(**fields)
    assert answer.status_code == 400
    assert sentence in error_of(answer)


@pytest.mark.parametrize("body", [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x01{"])
def test_garbage_is_refused(alice_api: Api, body: bytes) -> None:
    answer = alice_api.client.post("/api/v1/jobs", body, content_type=packs.CONTENT_TYPE)
    assert answer.status_code == 400


def test_wrong_digest_is_refused(alice_api: Api) -> None:
    wrong = header([b"x"])
    wrong["function"]["digest"] = "0" * 64
    answer = alice_api.client.post(
        "/api/v1/jobs", packs.build(wrong, b"a pickled function", b"x"), content_type=packs.CONTENT_TYPE
    )
    assert answer.status_code == 400
    assert not Blob.objects.filter(digest="0" * 64).exists()


def test_run_again_copies_function_and_arguments(alice: Any, alice_api: Api) -> None:
    submit(alice, count=3, options={"label": "night", "type": "c2", "cores": 2})
    answer = alice_api.post("jobs/2/rerun", {})
    assert (answer.status_code, answer.json()["first_jid"]) == (201, 4)
    batch = Batch.objects.get(first_jid=4)
    assert (batch.label, batch.core_type_id, batch.cores, batch.is_map) == ("night", "c2", 2, False)
    assert alice_api.get("jobs/4/arguments").content == b"arguments"


def test_stranger_cannot_run_again(alice: Any, charlie_api: Api) -> None:
    submit(alice)
    assert charlie_api.post("jobs/1/rerun", {}).status_code == 404
