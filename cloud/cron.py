"""Functions that run by a schedule: `cloud.cron.register(tweet, 'tweet', '*/5 * * * *')`."""

import builtins
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from cloud import _client, _submit
from cloud._options import take_reserved
from cloud._progress import is_terminal
from cloud._signatures import check_needs_nothing

__all__ = ["deregister", "info", "list", "manual_run", "pause", "register", "resume"]

logger = logging.getLogger("cloud")

_PAGE = 200
_TIMES = ("state_since", "next_run", "last_run", "created", "registered")
_OVERLAPS = ("allow", "skip", "replace")
_CATCH_UPS = ("last", "none", "all")
# Of the keywords of a job, those that a cron does not have: its jobs wait for none, and are labelled by it.
_NOT_OF_CRONS = ("_label", "_depends_on", "_depends_on_errors", "_kill_process", "_high_cpu")


def register(func: Callable[[], Any], label: str, schedule: str | Sequence[Any], **kwargs: Any) -> None:
    """Let func() run by the schedule, from now on, until the cron is deregistered.

    The schedule has five fields as in Unix, or is a name such as '@daily'; it is read in UTC, or in `_timezone`. The
    function is taken as it is now. A cron of the same label is replaced, which is said. ValueError when the function
    needs arguments, CloudException when the service refuses.
    """
    terms = _terms(label, schedule, kwargs)
    options, own = take_reserved(kwargs)
    if own:
        names = ", ".join(own)
        raise ValueError(f"cloud.cron.register passes no arguments: leave out {names}, or use functools.partial.")
    check_needs_nothing(func)
    # The service labels the jobs.
    options.pop("label")
    answer = _submit.register(func, options, terms)
    if answer.get("registration", 1) > 1:
        _say(f"Cron {label!r} was there already, and is replaced; its history is kept.")


def deregister(label: str) -> None:
    """Remove the cron with its history; its jobs stay, and one that runs goes on."""
    _client.request("DELETE", _path(label))


def manual_run(label: str) -> int:
    """Run the cron now, outside of its schedule, and return the id of the job."""
    answer = _client.request_json("POST", f"{_path(label)}/run", {}, idempotent=False)
    return int(answer["first_jid"])


def list() -> builtins.list[str]:  # noqa: A001
    """The labels of all crons of the account."""
    return [cron["label"] for cron in every()]


def every(text: str = "") -> Iterator[dict[str, Any]]:
    """Each cron of the account as `info` tells it, or those with the text in label or function; a request for many."""
    after = None
    while True:
        asked = {"limit": _PAGE, "text": text} | ({"after": after} if after else {})
        page = _client.request_json("GET", f"/api/v1/crons?{urlencode(asked)}")
        yield from map(_parsed, page["crons"])
        after = page["next"]
        if not after:
            return


def info(label: str) -> dict[str, Any]:
    """What is known of the cron: its schedule, state, last and next runs, what it costs, where it came from."""
    return _parsed(_client.request_json("GET", _path(label)))


def _parsed(found: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if found.get(name):
            found[name] = datetime.fromisoformat(found[name])
    found["next_runs"] = [datetime.fromisoformat(text) for text in found["next_runs"]]
    return found


def pause(label: str) -> None:
    """Let the cron run no more until it is resumed."""
    _client.request("PATCH", _path(label), body=b'{"paused": true}', content_type="application/json")


def resume(label: str) -> None:
    """Let a paused cron run again; what it would have run meanwhile is not caught up with."""
    _client.request("PATCH", _path(label), body=b'{"paused": false}', content_type="application/json")


def _path(label: str) -> str:
    if not isinstance(label, str) or not label:
        raise TypeError(f"The label of a cron is a string, and not empty: {label!r} is none.")
    return f"/api/v1/crons/{quote(label, safe='')}"


def _terms(label: str, schedule: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """What the service is told of the cron itself; its keywords are taken out of kwargs."""
    if not isinstance(label, str):
        raise TypeError(f"The label of a cron is a string, not {label!r}.")
    for name in _NOT_OF_CRONS:
        if name in kwargs:
            raise TypeError(f"{name} is no keyword of a cron.")
    overlap, catch_up = kwargs.pop("_overlap", None), kwargs.pop("_catch_up", None)
    timezone, grace = kwargs.pop("_timezone", None), kwargs.pop("_start_grace", None)
    _check_choice("_overlap", overlap, _OVERLAPS)
    _check_choice("_catch_up", catch_up, _CATCH_UPS)
    if timezone is not None and not isinstance(timezone, str):
        raise TypeError(f"_timezone is a name such as 'Europe/Berlin', not {timezone!r}.")
    terms = {"label": label, "schedule": _schedule(schedule), "timezone": timezone, "overlap": overlap}
    terms |= {"catch_up": catch_up, "start_grace_s": None if grace is None else _seconds(grace)}
    return {name: value for name, value in terms.items() if value is not None}


def _schedule(schedule: Any) -> Any:
    if isinstance(schedule, str):
        return schedule
    fields = [] if isinstance(schedule, bytes) or not isinstance(schedule, Sequence) else builtins.list(schedule)
    if len(fields) != 5:
        raise ValueError(
            f"A schedule is a string such as '*/5 * * * *' or five fields (minute, hour, day of month, month, day of "
            f"week), not {schedule!r}."
        )
    return ["*" if field is None else str(field) for field in fields]


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}.")


def _seconds(minutes: Any) -> int:
    if isinstance(minutes, bool) or not isinstance(minutes, int | float):
        raise TypeError(f"_start_grace is a number of minutes, not {minutes!r}.")
    if not 0 < minutes < float("inf"):
        raise ValueError(f"_start_grace is a number of minutes above 0, not {minutes!r}.")
    return max(1, round(minutes * 60))


def _say(sentence: str) -> None:
    if is_terminal():
        sys.stderr.write(f"PiCloud: {sentence}\n")
    else:
        logger.warning(sentence)
