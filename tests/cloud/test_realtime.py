"""cloud.realtime and `picloud realtime`: what they send, and what is refused before anything is sent."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import cloud
from cloud.cli.main import run
from tests.cloud.service import Handler, Service

TIME = "2026-11-27T09:00:00+00:00"


class Realtime:
    """Answers for reservations as the service gives them; each is ready at the second look."""

    def __init__(self) -> None:
        self.asked: dict[int, dict[str, Any]] = {}
        self.looks: dict[int, int] = {}
        self.ended: list[int] = []
        self.changed: list[Any] = []
        self.windows: dict[int, dict[str, Any]] = {}
        self.ready_after = 1

    def answer(self, handler: Handler) -> bool:
        path = handler.path.removeprefix("/api/v1/realtime")
        if path == handler.path:
            return False
        said = handler.server.requests[-1][2]
        parts = path.partition("?")[0].strip("/").split("/")
        if parts[0] == "windows":
            self.answer_window(handler, parts[1:], said)
        elif parts == [""]:
            self.answer_list(handler, said)
        elif (number := int(parts[0])) not in self.asked:
            handler.refuse(404, "reservation_unknown", f"There is no request {number} for cores in this account.")
        else:
            self.answer_one(handler, number, parts[1:], said)
        return True

    def answer_list(self, handler: Handler, said: Any) -> None:
        if handler.command == "POST":
            number = len(self.asked) + 1
            self.asked[number] = said
            handler.reply(201, self.described(number))
            return
        open_ones = [number for number in sorted(self.asked, reverse=True) if number not in self.ended]
        handler.reply(200, {"reservations": [self.described(number) for number in open_ones], "next": None})

    def answer_one(self, handler: Handler, number: int, rest: list[str], said: Any) -> None:
        if rest == ["release"]:
            if number in self.ended:
                handler.refuse(409, "reservation_ended", f"Request {number} has ended.")
                return
            self.ended.append(number)
        elif handler.command == "PATCH":
            self.changed.append(said["max_hours"])
        else:
            self.looks[number] = self.looks.get(number, 0) + 1
        handler.reply(200, self.described(number))

    def answer_window(self, handler: Handler, rest: list[str], said: Any) -> None:
        if handler.command == "DELETE":
            del self.windows[int(rest[0])]
            handler.send_raw(204, b"")
        elif handler.command == "POST":
            number = len(self.windows) + 1
            self.windows[number] = said | {"window_id": number, "words": "Monday to Friday", "next": TIME}
            handler.reply(201, self.windows[number])
        else:
            handler.reply(200, {"windows": list(self.windows.values())})

    def described(self, number: int) -> dict[str, Any]:
        ready = self.looks.get(number, 0) > self.ready_after
        state = "ended" if number in self.ended else "active" if ready else "pending"
        return {
            "request_id": number,
            "type": self.asked[number]["type"],
            "cores": self.asked[number]["cores"],
            "state": state,
            "start_time": TIME if ready else None,
            "note": None if ready else "0 of 1 cores stand ready.",
        }


@pytest.fixture
def realtime(alice_calls: Service, monkeypatch: pytest.MonkeyPatch) -> Realtime:
    found = Realtime()
    alice_calls.before = found.answer
    monkeypatch.setattr("cloud.realtime._POLL_SECONDS", 0.01)
    return found


def test_request_sends_what_is_asked(realtime: Realtime) -> None:
    found = cloud.realtime.request("c2", 8, max_duration=3, start_time=datetime(2030, 1, 1, tzinfo=UTC))
    assert (found["request_id"], found["type"], found["cores"], found["start_time"]) == (1, "c2", 8, None)
    asked = realtime.asked[1]
    assert len(asked.pop("request_key")) == 32
    assert asked == {"type": "c2", "cores": 8, "max_hours": 3, "starts_at": "2030-01-01T00:00:00+00:00"}


def test_list_release_and_change(realtime: Realtime) -> None:
    for _ in range(3):
        cloud.realtime.request("c1", 1)
    cloud.realtime.release(2)
    assert [found["request_id"] for found in cloud.realtime.list()] == [1, 3]
    assert [found["state"] for found in cloud.realtime.list(2)] == ["ended"]
    cloud.realtime.change_max_duration(1, 5)
    cloud.realtime.change_max_duration("1")
    cloud.realtime.change_max_duration(1, 0)
    assert realtime.changed == [5, None, None]
    with pytest.raises(cloud.CloudException, match="has ended") as refused:
        cloud.realtime.release(2)
    assert refused.value.status == "reservation_ended"
    with pytest.raises(cloud.CloudException, match="There is no request 9"):
        cloud.realtime.release(9)


def test_cores_for_a_block(realtime: Realtime) -> None:
    with cloud.realtime.cores("c1", 4) as found:
        assert found["start_time"] == datetime(2026, 11, 27, 9, tzinfo=UTC)
        assert realtime.ended == []
    assert realtime.ended == [1]


def test_cores_are_released_whatever_happens(realtime: Realtime) -> None:
    with pytest.raises(ZeroDivisionError), cloud.realtime.cores("c1", 4):
        print(1 / 0)
    with cloud.realtime.cores("c1", 4) as found:
        cloud.realtime.release(found["request_id"])
    realtime.ready_after = 10**9
    with (
        pytest.raises(cloud.CloudTimeoutError, match=r"not ready within 0.05 s. 0 of 1 cores stand ready"),
        cloud.realtime.cores("c1", 4, timeout=0.05),
    ):
        raise AssertionError("never comes here")
    assert realtime.ended == [1, 2, 3]


def test_waiting_for_one_that_has_ended(realtime: Realtime) -> None:
    cloud.realtime.request("c1", 1)
    cloud.realtime.release(1)
    with pytest.raises(cloud.CloudException, match="Request 1 has ended"):
        cloud.realtime.wait(1)


@pytest.mark.parametrize(
    ("days", "numbers"),
    [
        ("mon-fri", [0, 1, 2, 3, 4]), ("sat, sun", [5, 6]), ("Fri-Mon", [0, 4, 5, 6]), ("wed", [2]), ([0, 6], [0, 6]),
        ("mon-sun", [0, 1, 2, 3, 4, 5, 6]),
    ],
)  # fmt: skip
def test_windows(realtime: Realtime, days: Any, numbers: list[int]) -> None:
    found = cloud.realtime.add_window("c1", 8, days, "09:00", "18:00", timezone="Europe/Berlin")
    assert (found["window_id"], found["next"].year) == (1, 2026)
    assert realtime.windows[1]["weekdays"] == numbers
    assert [window["window_id"] for window in cloud.realtime.windows()] == [1]
    cloud.realtime.remove_window(1)
    assert cloud.realtime.windows() == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: cloud.realtime.request("c1", 0), ValueError), (lambda: cloud.realtime.request("c1", -1), ValueError),
        (lambda: cloud.realtime.request("c1", 1.5), TypeError), (lambda: cloud.realtime.request("c1", True), TypeError),
        (lambda: cloud.realtime.request("c1", "2"), TypeError), (lambda: cloud.realtime.request(1, 1), TypeError),
        (lambda: cloud.realtime.request("c1", 1, -3), ValueError),
        (lambda: cloud.realtime.request("c1", 1, 1.5), TypeError),
        (lambda: cloud.realtime.request("c1", 1, False), TypeError),
        (lambda: cloud.realtime.request("c1", 1, start_time=datetime(2030, 1, 1)), ValueError),  # noqa: DTZ001
        (lambda: cloud.realtime.release("all"), TypeError), (lambda: cloud.realtime.release(-1), TypeError),
        (lambda: cloud.realtime.add_window("c1", 1, "someday", "9", "18"), ValueError),
        (lambda: cloud.realtime.add_window("c1", 1, "mon", 9, "18"), TypeError),
    ],
)  # fmt: skip
def test_wrong_use_is_refused_here(
    realtime: Realtime, alice_calls: Service, call: Any, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        call()
    assert alice_calls.requests == []


# -- the command -------------------------------------------------------------------------------


def test_command_requests_lists_and_releases(realtime: Realtime, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-o", "json", "realtime", "request", "-m", "2", "c1", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["request_id"] == 1
    assert realtime.asked[1]["max_hours"] == 2
    assert run(["-o", "json", "realtime", "request", "--wait", "c1", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "active"
    run(["-o", "no-header", "realtime", "list"])
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [["1", "c1", "4"], ["2", "c1", "1"]]
    run(["-o", "no-header", "realtime", "list", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert run(["realtime", "change-max-duration", "1", "7"]) == 0
    assert run(["realtime", "release", "1"]) == 0
    assert (realtime.changed, realtime.ended) == ([7], [1])
    assert run(["realtime", "release", "1"]) == 3
    assert run(["realtime", "release", "x"]) == 1
    assert "request_id is a whole number" in capsys.readouterr().err


def test_command_for_windows(realtime: Realtime, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["-z", "Europe/Berlin", "c1", "8", "mon-fri", "09:00", "18:00"]
    assert run(["realtime", "add-window", *flags]) == 0
    assert realtime.windows[1]["timezone"] == "Europe/Berlin"
    capsys.readouterr()
    run(["-o", "no-header", "realtime", "windows"])
    assert capsys.readouterr().out.startswith("1")
    assert run(["realtime", "remove-window", "1"]) == 0
    assert realtime.windows == {}
