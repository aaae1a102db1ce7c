"""Reserved cores over HTTP, as the document describes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from realtime.models import Reservation, ReservationWindow
from realtime.services.assign import assign
from tests.api.test_openapi import check
from tests.realtime.workers import Workers
from tests.submitting import Api

ONE = "/api/v1/realtime/{number}"
WEEKLY = {"type": "c1", "cores": 1, "weekdays": [0, 4], "begins": "09:00", "ends": "18:00", "timezone": "Asia/Tokyo"}


def ask(api: Api, cores: Any = 1, **fields: Any) -> Any:
    answer = api.post("realtime", {"type": "c1", "cores": cores, **fields})
    check(answer, "POST", "/api/v1/realtime")
    return answer


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def change(api: Api, number: int = 1, **wanted: Any) -> Any:
    answer = api.client.patch(f"/api/v1/realtime/{number}", json.dumps(wanted), content_type="application/json")
    check(answer, "PATCH", ONE)
    return answer


def release(api: Api, number: int = 1) -> Any:
    answer = api.post(f"realtime/{number}/release", {})
    check(answer, "POST", f"{ONE}/release")
    return answer


def make_ready(redis: Redis) -> None:
    workers = Workers(redis)
    assign()
    workers.follow()
    assign()


def test_from_request_to_release(alice_api: Api, redis: Redis) -> None:
    told = ask(alice_api, 2, max_hours=3)
    assert told.status_code == 201
    found = told.json()
    assert (found["request_id"], found["state"], found["start_time"], found["per_hour"]) == (1, "pending", None, "0.03")
    make_ready(redis)
    found = alice_api.get("realtime/1")
    check(found, "GET", ONE)
    assert found.json()["state"] == "active"
    start, ends = (datetime.fromisoformat(found.json()[name]) for name in ("start_time", "ends_by"))
    assert ends - start == timedelta(hours=3)
    assert change(alice_api, max_hours=None).json()["ends_by"] is None
    ended = release(alice_api).json()
    assert (ended["state"], ended["end_reason"]) == ("ended", "released")
    assert error(release(alice_api)) == (409, "reservation_ended")
    assert error(change(alice_api, max_hours=5)) == (409, "reservation_ended")


def test_one_that_is_not_ready_is_withdrawn(alice_api: Api) -> None:
    ask(alice_api)
    assert release(alice_api).json()["end_reason"] == "withdrawn"


def test_a_request_that_is_sent_again_asks_once(alice_api: Api) -> None:
    key = "a-key-of-the-request"
    assert ask(alice_api, request_key=key).status_code == 201
    assert ask(alice_api, request_key=key).status_code == 200
    assert error(ask(alice_api, 2, request_key=key)) == (409, "request_differs")
    assert Reservation.objects.count() == 1


def test_listing_goes_on_where_it_stopped(alice_api: Api, settings: Any) -> None:
    settings.REALTIME_MAX_CORES = settings.REALTIME_MAX_CORES_IN_ALL = 10
    for _ in range(3):
        ask(alice_api)
    release(alice_api, 2)
    first = alice_api.get("realtime?limit=2")
    check(first, "GET", "/api/v1/realtime")
    rest = alice_api.get(f"realtime?before={first.json()['next']}").json()
    assert [row["request_id"] for row in (*first.json()["reservations"], *rest["reservations"])] == [3, 2, 1]
    assert [row["request_id"] for row in alice_api.get("realtime?open=true").json()["reservations"]] == [3, 1]
    assert error(alice_api.get("realtime?open=maybe")) == (400, "bad_option")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"cores": 0}, "bad_cores"), ({"cores": -1}, "bad_cores"), ({"cores": 10**9}, "bad_cores"),
        ({"cores": 1.5}, "bad_cores"), ({"cores": "2"}, "bad_cores"), ({"cores": True}, "bad_cores"),
        ({"cores": None}, "bad_cores"), ({"cores": 3}, "too_many_cores"), ({"type": "z9"}, "unknown_core_type"),
        ({"type": None}, "unknown_core_type"), ({"type": ["c1"]}, "unknown_core_type"),
        ({"max_hours": 0}, "bad_hours"), ({"max_hours": -1}, "bad_hours"), ({"max_hours": 1.5}, "bad_hours"),
        ({"max_hours": 10**9}, "bad_hours"), ({"starts_at": "2020-01-01T00:00:00Z"}, "bad_start"),
        ({"starts_at": "2030-01-01T00:00:00"}, "bad_start"), ({"starts_at": "2999-01-01T00:00:00Z"}, "bad_start"),
        ({"starts_at": 5}, "bad_start"), ({"starts_at": "now"}, "bad_start"), ({"request_key": "x"}, "bad_request_key"),
        ({"request_key": 5}, "bad_request_key"), ({"color": "red"}, "unknown_option"),
    ],
)  # fmt: skip
def test_refused(alice_api: Api, fields: dict[str, Any], code: str) -> None:
    answer = ask(alice_api, **fields)
    assert error(answer) == (400, code)
    assert not Reservation.objects.exists()


def test_limits_are_told_with_their_numbers(alice_api: Api, settings: Any) -> None:
    settings.REALTIME_MAX_CORES = 4
    settings.REALTIME_MAX_CORES_IN_ALL = 100
    ask(alice_api, 3)
    said = ask(alice_api, 2).json()["error"]["message"]
    assert said == (
        "An account can reserve 4 cores at a time here; 3 of them are reserved in that time, and 2 more are too many: "
        "ask for 1 at most."
    )


def test_cores_that_no_job_could_use_are_refused(alice_api: Api) -> None:
    from jobs.models import CoreType

    CoreType.objects.filter(code="c2").update(allowed_cores=[2, 4])
    assert error(ask(alice_api, 1, type="c2")) == (400, "cores_not_allowed")
    assert ask(alice_api, 2, type="c2").status_code == 201


def test_changing_what_cannot_be_changed(alice_api: Api) -> None:
    ask(alice_api)
    assert error(change(alice_api, cores=2)) == (400, "unknown_option")
    assert error(change(alice_api, max_hours="long")) == (400, "bad_hours")
    Reservation.objects.update(state="active", ready_at=datetime.now(UTC) - timedelta(hours=5))
    assert error(change(alice_api, max_hours=5)) == (400, "bad_hours")
    assert change(alice_api, max_hours=6).status_code == 200


def test_windows(alice_api: Api) -> None:
    answer = alice_api.post("realtime/windows", WEEKLY)
    check(answer, "POST", "/api/v1/realtime/windows")
    assert (answer.status_code, answer.json()["words"]) == (201, "Monday, Friday 09:00–18:00 Asia/Tokyo")
    listed = alice_api.get("realtime/windows")
    check(listed, "GET", "/api/v1/realtime/windows")
    assert [row["window_id"] for row in listed.json()["windows"]] == [1]
    assert alice_api.client.delete("/api/v1/realtime/windows/1").status_code == 204
    assert error(alice_api.client.delete("/api/v1/realtime/windows/1")) == (404, "window_unknown")
    assert alice_api.get("realtime/windows").json()["windows"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"weekdays": []}, "bad_window"), ({"weekdays": "mon"}, "bad_window"), ({"weekdays": [7]}, "bad_window"),
        ({"weekdays": [1.0]}, "bad_window"), ({"begins": "9"}, "bad_window"), ({"ends": None}, "bad_window"),
        ({"ends": "09:00"}, "bad_window"), ({"ends": "25:00"}, "bad_window"), ({"timezone": "Mars"}, "unknown_zone"),
        ({"timezone": 5}, "unknown_zone"), ({"cores": 0}, "bad_cores"), ({"more": 1}, "unknown_option"),
    ],
)  # fmt: skip
def test_windows_refused(alice_api: Api, fields: dict[str, Any], code: str) -> None:
    answer = alice_api.post("realtime/windows", WEEKLY | fields)
    check(answer, "POST", "/api/v1/realtime/windows")
    assert error(answer) == (400, code)
    assert not ReservationWindow.objects.exists()


def test_quote(alice_api: Api) -> None:
    answer = alice_api.get("realtime/quote?type=c1&cores=10&hours=1")
    check(answer, "GET", "/api/v1/realtime/quote")
    told = answer.json()
    assert (told["per_hour"], told["in_all"], told["rule"]) == ("0.15", "0.15", "minimum")
    assert told["last_30_days"]["kept_always"] == {"hours": 720, "with": "108", "without": "0"}
    for query, code in (
        ("type=c1", "bad_number"),
        ("type=z&cores=1", "unknown_core_type"),
        ("type=c1&cores=0", "bad_cores"),
    ):
        assert error(alice_api.get(f"realtime/quote?{query}")) == (400, code)


def test_of_somebody_else(alice_api: Api, charlie_api: Api) -> None:
    ask(alice_api)
    for answer in (charlie_api.get("realtime/1"), release(charlie_api), change(charlie_api, max_hours=1)):
        assert error(answer) == (404, "reservation_unknown")
    assert charlie_api.get("realtime").json()["reservations"] == []
