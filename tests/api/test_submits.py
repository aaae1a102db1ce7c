"""Submits that do not fit together, and what is kept of what a client says of itself."""

from typing import Any

import pytest

from jobs.models import Batch, Job
from tests.submitting import Api

pytestmark = pytest.mark.usefixtures("base_environment")
KEY = {"idempotency_key": "k" * 32, "map": True, "total": 4}


@pytest.mark.parametrize(
    "part",
    [
        {"first": 2, "total": 100},
        {"first": 50, "total": 100},
        {"first": 1},
        {"first": 2, "options": {"type": "c2"}},
        {"first": 2, "options": {"priority": 1}},
    ],
)
def test_part_of_another_map_is_refused(alice_api: Api, part: dict[str, Any]) -> None:
    alice_api.submit([b"a", b"b"], **KEY)
    answer = alice_api.submit([b"c", b"d"], **{**KEY, **part})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "submit_differs")
    assert list(Job.objects.order_by("jid").values_list("jid", "core_type")) == [(1, "c1"), (2, "c1")]


def test_parts_may_come_again_in_any_size_but_once(alice_api: Api) -> None:
    for first, items in ((0, [b"a"]), (1, [b"b", b"c", b"d"]), (0, [b"a"]), (1, [b"b", b"c", b"d"])):
        assert alice_api.submit(items, **KEY, first=first).status_code in (200, 201)
    assert Batch.objects.get().received == Job.objects.count() == 4


def test_only_known_and_short_parts_are_kept_of_a_client(alice_api: Api) -> None:
    odd = {"python": "3.11", "hostname": "a\0\ud800" + "x" * 500, "pid": float("nan"), "more": ["x"] * 1000}
    assert alice_api.submit(client=odd).status_code == 201
    kept = Batch.objects.get().client
    assert set(kept) == {"python", "hostname"}
    assert kept["hostname"] == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}" + "x" * 197


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 32_001, 5])
def test_environment_variable_that_cannot_be_one_is_refused(alice_api: Api, text: Any) -> None:
    answer = alice_api.submit(options={"env_vars": {"A": text}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_option")


def test_long_nonsense_is_not_said_back_whole(alice_api: Api) -> None:
    answer = alice_api.submit(options={"label": "é" * 100_000})
    assert answer.status_code == 400
    assert len(answer.content) < 1000
