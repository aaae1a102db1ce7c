"""Cores that stand ready for you alone: `with cloud.realtime.cores('c2', 8): ...`."""

import builtins
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cloud import _client
from cloud._errors import CloudException, CloudTimeoutError

__all__ = [
    "add_window",
    "change_max_duration",
    "cores",
    "list",
    "release",
    "remove_window",
    "request",
    "wait",
    "windows",
]

_PAGE = 200
_POLL_SECONDS = 0.5
_TIMES = ("start_time", "requested", "not_before", "ends_by", "ended", "expected", "counted")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def request(
    type: str,  # noqa: A002 - the name that it always had
    cores: int,
    max_duration: int | None = None,
    *,
    start_time: datetime | None = None,
) -> dict[str, Any]:
    """Ask for cores of a type, for so many hours at most or until they are released.

    Returns at once with what `list` tells of the request, of which `request_id` names it and `start_time` is None
    until the cores stand ready. A `start_time` in the argument is a time, with its zone, before which they need not be.
    CloudException when the service refuses, with the numbers.
    """
    if start_time is not None and start_time.tzinfo is None:
        raise ValueError("start_time needs a zone, such as datetime.UTC.")
    asked = {
        "type": _text("type", type),
        "cores": _whole("cores", cores),
        "max_hours": _hours(max_duration),
        "starts_at": None if start_time is None else start_time.isoformat(),
        # Repeated when an answer is lost, and asks once all the same.
        "request_key": uuid.uuid4().hex,
    }
    return _parsed(_client.request_json("POST", "/api/v1/realtime", asked))


def list(request_id: int | str = "") -> builtins.list[dict[str, Any]]:  # noqa: A001
    """The requests that have not ended, oldest first; or the one request of this number, ended or not."""
    if request_id != "":
        return [_parsed(_client.request_json("GET", _path(request_id)))]
    return builtins.list(_open())[::-1]


def _open() -> Iterator[dict[str, Any]]:
    before = None
    while True:
        asked = {"open": "true", "limit": _PAGE} | ({"before": before} if before else {})
        page = _client.request_json("GET", f"/api/v1/realtime?{urlencode(asked)}")
        yield from map(_parsed, page["reservations"])
        before = page["next"]
        if not before:
            return


def release(request_id: int | str) -> None:
    """Give the cores back. What runs on them runs on; a request that is not ready yet is withdrawn, and costs nothing.

    CloudException when it has ended already.
    """
    _client.request_json("POST", f"{_path(request_id)}/release", {})


def change_max_duration(request_id: int | str, new_max_duration: int | None = None) -> None:
    """Let the request end after so many hours of being ready; None: when it is released."""
    _client.request_json("PATCH", _path(request_id), {"max_hours": _hours(new_max_duration)})


def wait(request_id: int | str, *, timeout: float | None = None) -> dict[str, Any]:
    """Return what `list` tells of the request as soon as its cores stand ready.

    CloudTimeoutError when they do not within `timeout` seconds, CloudException when the request has ended.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        found = list(request_id)[0]
        if found["state"] == "active":
            return found
        why = f" {found['note']}" if found["note"] else ""
        if found["state"] == "ended":
            raise CloudException(f"Request {request_id} has ended.{why}")
        if deadline is not None and time.monotonic() >= deadline:
            raise CloudTimeoutError(f"The cores of request {request_id} were not ready within {timeout:g} s.{why}")
        time.sleep(_POLL_SECONDS)


@contextmanager
def cores(
    type: str,  # noqa: A002
    cores: int,
    max_duration: int | None = None,
    *,
    timeout: float | None = None,
) -> Iterator[dict[str, Any]]:
    """Cores for as long as the block lasts: waits until they stand ready, and releases them at its end.

    CloudTimeoutError when they are not ready within `timeout` seconds; the request is withdrawn then, as after any
    other error.
    """
    asked = request(type, cores, max_duration)
    try:
        yield wait(asked["request_id"], timeout=timeout)
    finally:
        _let_go(asked["request_id"])


def _let_go(request_id: int) -> None:
    # It may have ended by itself, at its maximum duration.
    with suppress(CloudException):
        release(request_id)


def windows() -> builtins.list[dict[str, Any]]:
    """The windows that reserve cores in the same hours of every week."""
    return [_window(found) for found in _client.request_json("GET", "/api/v1/realtime/windows")["windows"]]


def add_window(
    type: str,  # noqa: A002
    cores: int,
    weekdays: str | Sequence[int],
    begins: str,
    ends: str,
    *,
    timezone: str = "UTC",
) -> dict[str, Any]:
    """Reserve cores in the same hours of every week: `add_window('c1', 8, 'mon-fri', '09:00', '18:00')`.

    The days are names with commas and ranges, or numbers of which 0 is Monday. The cores are prepared ahead, and ready
    at the beginning.
    """
    asked = {
        "type": _text("type", type),
        "cores": _whole("cores", cores),
        "weekdays": _days(weekdays),
        "begins": _text("begins", begins),
        "ends": _text("ends", ends),
        "timezone": _text("timezone", timezone),
    }
    # Sent twice, it would be two windows.
    return _window(_client.request_json("POST", "/api/v1/realtime/windows", asked, idempotent=False))


def remove_window(window_id: int | str) -> None:
    """Reserve no more cores by a window; what it has made and is active goes on."""
    _client.request("DELETE", f"/api/v1/realtime/windows/{_number('window_id', window_id)}")


def _days(weekdays: str | Sequence[int]) -> builtins.list[int]:
    if not isinstance(weekdays, str):
        return builtins.list(weekdays)
    found: set[int] = set()
    for part in weekdays.lower().split(","):
        first, dash, last = (name.strip() for name in part.partition("-"))
        names = (first, last) if dash else (first, first)
        if any(name not in _DAYS for name in names):
            raise ValueError(f"{part.strip()!r} is no day of the week: write mon-fri, or sat,sun.")
        start, end = map(_DAYS.index, names)
        found |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return sorted(found)


def _path(request_id: int | str) -> str:
    return f"/api/v1/realtime/{_number('request_id', request_id)}"


def _number(name: str, value: int | str) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal():
        raise TypeError(f"{name} is a whole number, not {value!r}.")
    return int(text)


def _text(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string, not {value!r}.")
    return value


def _whole(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is a whole number, not {value!r}.")
    if value < 1:
        raise ValueError(f"{name} is a whole number from 1, not {value!r}.")
    return value


def _hours(value: int | None) -> int | None:
    """0 is no maximum, as it always was."""
    return None if value is None or (value == 0 and not isinstance(value, bool)) else _whole("max_duration", value)


def _parsed(found: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(value) if name in _TIMES and value else value for name, value in found.items()}


def _window(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"next": datetime.fromisoformat(found["next"]) if found["next"] else None}
