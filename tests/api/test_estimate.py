"""What a call or map would cost, asked over HTTP: nothing is submitted."""

import hashlib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.openapi import document
from jobs.models import Batch
from realtime.services.learn import learn
from tests.realtime.reporting import report
from tests.submitting import FUNCTION, Api, run_all, submit

pytestmark = pytest.mark.usefixtures("base_environment")
DIGEST = hashlib.sha256(FUNCTION).hexdigest()
ENCODE = {"digest": DIGEST, "name": "encode", "module": "videos"}


def ask(api: Api, **fields: Any) -> Any:
    return api.post("estimate", {"function": ENCODE, **fields})


def matches_its_schema(answer: dict[str, Any]) -> bool:
    schema = {"$ref": "#/components/schemas/Estimate", "components": document()["components"]}
    return bool(Draft202012Validator(schema).is_valid(answer))


def test_nothing_is_known_of_what_never_ran(alice_api: Api) -> None:
    answer = ask(alice_api, count=10)
    assert answer.status_code == 200
    assert matches_its_schema(answer.json())
    assert (answer.json()["runs"], answer.json()["price"]) == (0, None)
    assert "Nothing like it has run" in answer.json()["words"]
    assert not Batch.objects.exists()


def test_time_core_hours_and_price_of_a_map(alice: Any, alice_api: Api) -> None:
    submit(alice, count=100)
    run_all(alice, run_ms=36_000)
    learn()
    report(2)
    answer = ask(alice_api, count=1000).json()
    assert matches_its_schema(answer)
    assert (answer["runs"], answer["basis"], answer["count"]) == (100, "code", 1000)
    assert answer["seconds"]["expected"] == 36.0
    assert answer["core_hours"]["expected"] == pytest.approx(10.0)
    # All ran alike, so there is no doubt: 10 core-hours of c1.
    assert answer["price"] == {"expected": "0.5", "low": "0.5", "high": "0.5"}
    # On the two cores of this installation.
    assert answer["elapsed"] == 18_000.0
    assert answer["words"].startswith("1,000 calls: 36.0 s each")
    assert "done in about 5 h 00 m on the 2 cores there are" in answer["words"]


def test_an_unknown_set_of_modules_is_another_version(alice: Any, alice_api: Api) -> None:
    submit(alice)
    run_all(alice)
    learn()
    assert ask(alice_api, modules=[]).json()["basis"] == "code"
    assert ask(alice_api, modules=None).json()["basis"] == "function"
    assert ask(alice_api, modules=[{"digest": DIGEST, "name": "shop"}]).json()["basis"] == "function"


def test_more_cores_than_there_are_have_no_end(alice: Any, alice_api: Api) -> None:
    submit(alice, options={"type": "c2"})
    run_all(alice, core_type="c2")
    learn()
    answer = ask(alice_api, options={"type": "c2", "cores": 8}).json()
    assert answer["elapsed"] is None
    assert "no core is there for it now" in answer["words"]
    report(2)
    answer = ask(alice_api, options={"type": "c2", "cores": 8}).json()
    assert answer["elapsed"] is None
    assert "no machine here has the 8 cores" in answer["words"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"function": None}, "bad_submit"),
        ({"function": {"digest": "x"}}, "bad_submit"),
        ({"function": {**ENCODE, "name": 5}}, "bad_submit"),
        ({"count": 0}, "bad_option"),
        ({"count": 10_001}, "bad_option"),
        ({"count": 1.5}, "bad_option"),
        ({"count": True}, "bad_option"),
        ({"modules": "all"}, "bad_modules"),
        ({"modules": [{"digest": DIGEST}]}, "bad_modules"),
        ({"options": {"type": "z9"}}, "unknown_core_type"),
        ({"options": {"cores": 2}}, "cores_not_allowed"),
        ({"options": {"speed": 2}}, "unknown_option"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(alice_api: Api, body: dict[str, Any], code: str) -> None:
    answer = ask(alice_api, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_stranger_learns_nothing_of_my_functions(alice: Any, alice_api: Api, charlie_api: Api) -> None:
    submit(alice)
    run_all(alice)
    learn()
    assert ask(charlie_api).json()["basis"] == "installation"


def test_needs_a_key(client: Any) -> None:
    assert client.post("/api/v1/estimate", {}, content_type="application/json").status_code == 401
