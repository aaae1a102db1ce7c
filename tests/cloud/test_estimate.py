"""cloud.estimate and picloud estimate: what they ask, and that nothing is sent."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import cloud
from cloud.cli.main import run
from tests.cloud.service import Handler, Service

ANSWER = {"count": 1, "runs": 3, "words": "1 call: 4.1 s each"}


@pytest.fixture
def asked(alice_calls: Service) -> list[dict[str, Any]]:
    """What the service was asked, of which it knows a little."""
    questions: list[dict[str, Any]] = []

    def answer(handler: Handler) -> bool:
        if handler.path != "/api/v1/estimate":
            return False
        questions.append(json.loads(handler.body))
        handler.reply(200, ANSWER)
        return True

    alice_calls.before = answer
    return questions


def double(x: int) -> int:
    return 2 * x


def test_a_map_is_asked_for_by_the_number_of_its_items(asked: list[dict[str, Any]], alice_calls: Service) -> None:
    assert cloud.estimate(double, range(10), _type="c2", _cores=4) == ANSWER
    question = asked[0]
    assert question["count"] == 10
    assert (question["options"]["type"], question["options"]["cores"]) == ("c2", 4)
    assert question["function"]["name"] == "double"
    assert alice_calls.jobs == {}


def test_without_items_it_is_one_call(asked: list[dict[str, Any]]) -> None:
    cloud.estimate(double)
    assert asked[0]["count"] == 1


def test_the_function_is_the_one_that_would_be_submitted(asked: list[dict[str, Any]], alice_calls: Service) -> None:
    def triple(x: int) -> int:
        return 3 * x

    cloud.estimate(triple, [1])
    cloud.map(triple, [1])
    header = alice_calls.headers_of("/api/v1/jobs")[0]
    for name in ("digest", "name", "module"):
        assert asked[0]["function"][name] == header["function"][name]
    assert asked[0].get("modules", []) == header.get("modules", [])
    assert hashlib.sha256(next(iter(alice_calls.functions.values()))).hexdigest() == asked[0]["function"]["digest"]


def test_modules_are_not_packed_for_a_question(
    asked: list[dict[str, Any]], alice_calls: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "est_shop.py").write_text("def total(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import est_shop  # type: ignore[import-not-found]

    cloud.estimate(est_shop.total, [1])
    assert asked[0]["modules"] is None
    assert alice_calls.archives == {}
    cloud.map(est_shop.total, [1])
    cloud.estimate(est_shop.total, [1])
    assert asked[1]["modules"] == alice_calls.headers_of("/api/v1/jobs")[0]["modules"]


@pytest.mark.parametrize(
    ("problem", "arguments", "keywords"),
    [
        (TypeError, (5,), {}),
        (TypeError, (double, 5), {}),
        (ValueError, (double, []), {}),
        (ValueError, (double, range(10_001)), {}),
        (ValueError, (double, [1]), {"y": 2}),
        (TypeError, (double, [1]), {"_speed": 2}),
    ],
)
def test_what_makes_no_map_is_refused(
    asked: list[dict[str, Any]], problem: type[Exception], arguments: Any, keywords: Any
) -> None:
    with pytest.raises(problem):
        cloud.estimate(*arguments, **keywords)
    assert asked == []


def test_the_command_says_it_in_a_sentence(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "json:dumps", "--count", "5", "--type", "c2"]) == 0
    assert capsys.readouterr().out == "1 call: 4.1 s each\n"
    assert (asked[0]["count"], asked[0]["options"]["type"]) == (5, "c2")
    assert run(["-o", "json", "estimate", "json:dumps"]) == 0
    assert json.loads(capsys.readouterr().out) == ANSWER
