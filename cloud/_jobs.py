"""status, info, kill and delete: looking at jobs and ending them."""

import pickle
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from cloud import _client
from cloud._errors import CloudException
from cloud._jids import Jids, as_sequence, first_of, from_ranges, is_single, to_ranges, without, write

_DEFAULT_FIELDS = ["status", "stdout", "stderr", "runtime"]
_TIMES = ("created", "queued", "started", "finished")
_MOST_JIDS = 10_000  # of one request
_PICKLED = {"args": "arguments", "kwargs": "arguments", "func_object": "function"}


def status(jids: Jids) -> Any:
    """The status of the job, or the list of statuses of the jobs."""
    asked = as_sequence(jids)
    found = _ask(asked, ["status"])
    statuses = [found[str(jid)]["status"] for jid in asked]
    return statuses[0] if is_single(jids) else statuses


def info(jids: Jids, info_requested: str | Iterable[str] | None = None) -> dict[int, dict[str, Any]]:
    """What is known about the jobs: {jid: {field: value}}.

    Fields: a name or several, 'all' for every field but the pickles, nothing for status, stdout, stderr and runtime.
    args, kwargs and func_object are fetched and unpickled here, one request a job.
    """
    asked = as_sequence(jids)
    fields = _fields(info_requested)
    plain = [field for field in fields if field not in _PICKLED] or ["status"]
    found = {int(jid): _parsed(row) for jid, row in _ask(asked, plain).items()}
    for field in fields:
        if field in _PICKLED:
            for jid, row in found.items():
                row[field] = _unpickled(jid, field)
    return {jid: found[jid] for jid in asked}


def kill(jids: Jids | None = None) -> None:
    """End the jobs; without an argument, every unfinished job of the account."""
    ranges = None if jids is None else to_ranges(as_sequence(jids))
    if ranges != []:
        _client.request_json("POST", "/api/v1/kill", {"jids": ranges})


def delete(jids: Jids) -> None:
    """Remove finished jobs with their results and output; CloudException when one is not finished."""
    if ranges := to_ranges(as_sequence(jids)):
        _client.request_json("POST", "/api/v1/delete", {"jids": ranges})


def _ask(jids: Sequence[int], fields: list[str]) -> dict[str, dict[str, Any]]:
    left = to_ranges(jids)
    found: dict[str, dict[str, Any]] = {}
    while left:
        part = first_of(left, _MOST_JIDS)
        left = without(left, from_ranges(part))
        found |= _client.request_json("POST", "/api/v1/info", {"jids": part, "fields": fields})["jobs"]
    unknown = [jid for jid in jids if str(jid) not in found]
    if unknown:
        raise CloudException(f"There is no job {write(to_ranges(unknown))} in this account.", status="job_unknown")
    return found


def _fields(requested: str | Iterable[str] | None) -> list[str]:
    if requested is None:
        return list(_DEFAULT_FIELDS)
    names = [requested] if isinstance(requested, str) else list(requested)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"info_requested holds names of fields, not {name!r}.")
    return ["all"] if "all" in names else names


def _parsed(row: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if row.get(name):
            row[name] = datetime.fromisoformat(row[name])
    waiting = row.get("waiting_for")
    if waiting and waiting["expected_start"]:
        waiting["expected_start"] = datetime.fromisoformat(waiting["expected_start"])
    if isinstance(row.get("ports"), dict):
        row["ports"] = {
            protocol: {int(port): address for port, address in ports.items()}
            for protocol, ports in row["ports"].items()
        }
    return row


def _unpickled(jid: int, field: str) -> Any:
    blob = _client.request("GET", f"/api/v1/jobs/{jid}/{_PICKLED[field]}").body
    value = pickle.loads(blob)
    if field == "func_object":
        return value
    return value[0] if field == "args" else value[1]
