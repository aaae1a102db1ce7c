"""cloud.cron and `picloud cron`: what they send, and what is refused before anything is sent."""

import functools
import json
import logging
import pickle
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import cloud
from cloud.cli.main import run
from tests.cloud.service import Handler, Service

TIME = "2026-11-27T09:00:00+00:00"


class Crons:
    """Answers for crons as the service gives them."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self.paused: list[bool] = []

    def answer(self, handler: Handler) -> bool:
        path = handler.path.removeprefix("/api/v1/crons")
        if path == handler.path:
            return False
        header = handler.server.requests[-1][2]
        label = unquote(path.lstrip("/").split("?")[0])
        if handler.command == "POST" and not label:
            label = header["cron"]["label"]
            again = self.registered.get(label)
            self.registered[label] = header | {"registration": again["registration"] + 1 if again else 1}
            self.bodies[label] = handler.body
            handler.reply(201, self.described(label))
        elif handler.command == "GET" and not label:
            handler.reply(200, {"crons": [self.described(name) for name in sorted(self.registered)], "next": None})
        elif label.removesuffix("/run") not in self.registered:
            handler.refuse(404, "cron_unknown", f"There is no cron {label!r} in this account.")
        elif label.endswith("/run"):
            handler.reply(201, {"first_jid": 17, "last_jid": 17, "count": 1, "url": "/jobs/17/"})
        elif handler.command == "DELETE":
            del self.registered[label]
            handler.send_raw(204, b"")
        elif handler.command == "PATCH":
            self.paused.append(header["paused"])
            handler.reply(200, self.described(label))
        else:
            handler.reply(200, self.described(label))
        return True

    def described(self, label: str) -> dict[str, Any]:
        header = self.registered[label]
        return {
            "label": label,
            "schedule": header["cron"]["schedule"],
            "registration": header["registration"],
            "timezone": "UTC",
            "state": "up",
            "paused": False,
            "last_jid": 7,
            "last_outcome": "ok",
            "created": TIME,
            "next_run": TIME,
            "next_runs": [TIME],
            "func_name": header["function"]["name"],
        }


@pytest.fixture
def crons(alice_calls: Service) -> Crons:
    found = Crons()
    alice_calls.before = found.answer
    return found


def tweet() -> str:
    return "a tweet"


def needs(word: str) -> str:
    return word


def function_of(crons: Crons, label: str, header: dict[str, Any]) -> Any:
    body = crons.bodies[label]
    start = 4 + int.from_bytes(body[:4], "big")
    return pickle.loads(body[start : start + header["function"]["size"]])


def test_register_sends_the_function_with_its_terms(crons: Crons) -> None:
    cloud.cron.register(
        tweet, "tweet", "*/5 * * * *", _timezone="Europe/Berlin", _overlap="skip", _catch_up="none", _start_grace=1.5,
        _type="c2", _max_runtime=3,
    )  # fmt: skip
    header = crons.registered["tweet"]
    assert header["cron"] == {
        "label": "tweet",
        "schedule": "*/5 * * * *",
        "timezone": "Europe/Berlin",
        "overlap": "skip",
        "catch_up": "none",
        "start_grace_s": 90,
    }
    assert (header["options"]["type"], header["options"]["max_runtime"], "label" in header["options"]) == (
        "c2",
        3,
        False,
    )
    assert function_of(crons, "tweet", header)() == "a tweet"


def test_a_sequence_is_a_schedule(crons: Crons) -> None:
    cloud.cron.register(tweet, "tweet", (0, 9, "*", None, "mon-fri"))
    assert crons.registered["tweet"]["cron"]["schedule"] == ["0", "9", "*", "*", "mon-fri"]


def test_replacing_is_said(crons: Crons, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="cloud"):
        cloud.cron.register(tweet, "tweet", "@daily")
        assert caplog.messages == []
        cloud.cron.register(tweet, "tweet", "@hourly")
    assert caplog.messages == ["Cron 'tweet' was there already, and is replaced; its history is kept."]


def test_function_with_required_arguments_is_refused_before_anything_is_sent(
    crons: Crons, alice_calls: Service
) -> None:
    with pytest.raises(ValueError, match="without arguments"):
        cloud.cron.register(needs, "tweet", "@daily")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"functools\.partial"):
        cloud.cron.register(needs, "tweet", "@daily", word="x")  # type: ignore[arg-type]
    assert alice_calls.requests == []
    cloud.cron.register(functools.partial(needs, "x"), "tweet", "@daily")
    assert crons.registered["tweet"]["function"]["name"] == "needs"


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"_label": "x"}, TypeError), ({"_depends_on": 1}, TypeError), ({"_kill_process": True}, TypeError),
        ({"_overlap": "maybe"}, ValueError), ({"_catch_up": "some"}, ValueError), ({"_start_grace": 0}, ValueError),
        ({"_start_grace": "5"}, TypeError), ({"_timezone": 1}, TypeError), ({"_what": 1}, TypeError),
        ({"schedule": ["*"]}, ValueError), ({"schedule": 5}, ValueError), ({"schedule": b"* * * * *"}, ValueError),
        ({"func": 5}, TypeError), ({"label": None}, TypeError),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_here(
    crons: Crons, alice_calls: Service, keywords: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        cloud.cron.register(**{"func": tweet, "label": "tweet", "schedule": "@daily", **keywords})
    assert alice_calls.requests == []


def test_looking_running_pausing_and_removing(crons: Crons) -> None:
    cloud.cron.register(tweet, 'a "b" / c', "@daily")
    assert cloud.cron.list() == ['a "b" / c']
    assert cloud.cron.manual_run('a "b" / c') == 17
    found = cloud.cron.info('a "b" / c')
    assert (found["next_run"].year, found["next_runs"][0].year, found["last_jid"]) == (2026, 2026, 7)
    cloud.cron.pause('a "b" / c')
    cloud.cron.resume('a "b" / c')
    assert crons.paused == [True, False]
    cloud.cron.deregister('a "b" / c')
    with pytest.raises(cloud.CloudException, match="There is no cron"):
        cloud.cron.deregister('a "b" / c')


# -- the command -------------------------------------------------------------------------------


def test_command_registers_a_shell_command(crons: Crons) -> None:
    flags = ["-z", "Asia/Tokyo", "--overlap", "replace", "--catch-up", "all", "--start-grace", "2", "-m", "10"]
    assert run(["cron", "register", *flags, "hello", "*/5 * * * *", "echo hello; echo -n $((1+1))"]) == 0
    header = crons.registered["hello"]
    assert header["cron"]["timezone"] == "Asia/Tokyo"
    assert function_of(crons, "hello", header)() == b"hello\n2"


def test_command_registers_a_function_of_a_module(
    crons: Crons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bot_of_the_test.py").write_text(
        "class Bot:\n    @staticmethod\n    def tweet():\n        return 6 * 7\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    assert run(["cron", "register", "--function", "bot_of_the_test:Bot.tweet", "bot", "@hourly"]) == 0
    assert crons.registered["bot"]["function"]["name"] == "Bot.tweet"
    assert run(["cron", "register", "--function", "bot_of_the_test:nothing", "bot", "@hourly"]) == 1
    assert run(["cron", "register", "--function", "nowhere", "bot", "@hourly"]) == 1
    assert run(["cron", "register", "bot", "@hourly"]) == 1
    assert "There is no command to run" in capsys.readouterr().err


def test_command_lists_runs_pauses_and_removes(crons: Crons, capsys: pytest.CaptureFixture[str]) -> None:
    run(["cron", "register", "hello", "@daily", "true"])
    run(["-o", "no-header", "cron", "list"])
    assert capsys.readouterr().out.split()[:4] == ["hello", "@daily", "UTC", "up"]
    run(["cron", "run", "hello"])
    assert capsys.readouterr().out == "17\n"
    run(["-o", "json", "cron", "info", "hello"])
    assert json.loads(capsys.readouterr().out)["last_jid"] == 7
    assert run(["cron", "pause", "hello"]) == run(["cron", "resume", "hello"]) == 0
    assert run(["cron", "deregister", "hello"]) == 0
    assert run(["cron", "deregister", "hello"]) == 3
