"""Looking at jobs and ending them: status, join, result, info, kill, delete, list, rerun."""

import argparse
import json
import sys
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import cloud
from cloud import _client, _jids
from cloud.cli._output import cell, print_fields, print_json, print_rows, write
from cloud.cli._parsing import Commands, Parser, Refused, add, add_yes, confirm, jids

_LIST_COLUMNS = ("jids", "function", "label", "type", "status", "created", "runtime", "cost")
_FILTERS = {
    "status": "with a job in this status",
    "label": "with this label",
    "function": "of this function",
    "type": "of this core type",
    "since": "created on this day (YYYY-MM-DD) or later",
    "until": "created on this day or earlier",
    "text": "whose function or label holds this text",
}


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    _with_jids(add(commands, "status", status))
    _with_timeout(_with_jids(add(commands, "join", join)))
    parser = _with_timeout(_with_jids(add(commands, "result", result)))
    parser.add_argument("-i", "--ignore-errors", action="store_true", help="print what failed jobs raised, and go on")
    parser = _with_jids(add(commands, "info", info))
    parser.add_argument("-o", "--fields", metavar="FIELD,FIELD", help="fields to print; `all` for every one")
    parser = add(commands, "kill", kill)
    parser.add_argument("jids", metavar="JIDS", type=jids, nargs="?", help="ids as in 1,4,7-9; none means every job")
    add_yes(parser)
    add_yes(_with_jids(add(commands, "delete", delete)))
    parser = add(commands, "list", list_jobs, aliases=["jobs"])
    for name, text in _FILTERS.items():
        parser.add_argument(f"--{name}", help=text)
    parser.add_argument("--limit", type=int, default=25, help="how many submits to list (25)")
    parser = add(commands, "rerun", rerun)
    parser.add_argument("jid", metavar="JID", type=int, help="id of the job to run again")


def _with_jids(parser: Parser) -> Parser:
    parser.add_argument("jids", metavar="JIDS", type=jids, help="ids as in 1,4,7-9")
    return parser


def _with_timeout(parser: Parser) -> Parser:
    parser.add_argument("-t", "--timeout", type=float, metavar="SECONDS", help="wait no longer than this")
    return parser


def status(options: argparse.Namespace) -> None:
    """Print the status of each job."""
    found = cloud.status(options.jids)
    rows = [{"jid": jid, "status": text} for jid, text in zip(options.jids, found, strict=True)]
    print_rows(rows, ("jid", "status"), style=options.output)


def join(options: argparse.Namespace) -> None:
    """Wait until the jobs are finished; exit status 3 as soon as one has failed."""
    cloud.join(options.jids, timeout=options.timeout)


def result(options: argparse.Namespace) -> None:
    """Wait for the jobs and print what they returned; of a single job, its bytes or text as they are."""
    values = cloud.result(options.jids, timeout=options.timeout, ignore_errors=options.ignore_errors)
    if options.output == "json":
        shown = {str(jid): _jsonable(jid, value) for jid, value in zip(options.jids, values, strict=True)}
        print_json(shown[str(options.jids[0])] if len(values) == 1 else shown)
    elif len(values) == 1:
        _write_raw(values[0])
    else:
        for jid, value in zip(options.jids, values, strict=True):
            write(f"[job {jid}]")
            _write_raw(value)
            if isinstance(value, bytes) and not value.endswith(b"\n"):
                write("")


def info(options: argparse.Namespace) -> None:
    """Print what is known about the jobs."""
    fields = options.fields.split(",") if options.fields else None
    found = cloud.info(options.jids, fields)
    if options.output == "json":
        print_json({str(jid): row for jid, row in found.items()})
        return
    for jid, row in found.items():
        if options.output == "default":
            write(f"[job {jid}]")
        print_fields(row, style=options.output)


def kill(options: argparse.Namespace) -> None:
    """End the jobs; without JIDS, every unfinished job of the account."""
    if options.jids is None:
        confirm("This kills every unfinished job of the account.", yes=options.yes, always=True)
    cloud.kill(options.jids)


def delete(options: argparse.Namespace) -> None:
    """Remove finished jobs with their results and output."""
    text = _jids.write(_jids.to_ranges(options.jids))
    confirm(f"This removes job {text} with results and output for good.", yes=options.yes)
    cloud.delete(options.jids)


def list_jobs(options: argparse.Namespace) -> None:
    """List submits, newest first; a map is one line."""
    filters = {name: value for name in _FILTERS if (value := getattr(options, name))}
    rows: list[dict[str, Any]] = []
    before = None
    while len(rows) < options.limit:
        asked = {**filters, "limit": min(options.limit - len(rows), 200)} | ({"before": before} if before else {})
        page = _client.request_json("GET", f"/api/v1/jobs?{urlencode(asked)}")
        rows += page["jobs"]
        before = page["next"]
        if not before:
            break
    print_rows(rows if options.output == "json" else [_row(row) for row in rows], _LIST_COLUMNS, style=options.output)


def rerun(options: argparse.Namespace) -> None:
    """Run the job's function again with the same arguments, as a new job; print its id."""
    answer = _client.request_json("POST", f"/api/v1/jobs/{options.jid}/rerun", {}, idempotent=False)
    print_rows([{"jid": answer["first_jid"]}], ("jid",), style="json" if options.output == "json" else "no-header")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    counts = ", ".join(f"{number} {name}" for name, number in row["counts"].items())
    is_one = row["first_jid"] == row["last_jid"]
    return {
        **row,
        "jids": _jids.write([[row["first_jid"], row["last_jid"]]]),
        "status": next(iter(row["counts"]), "-") if is_one else counts,
        "created": str(row["created"])[:19].replace("T", " "),
        "runtime": format_seconds(row["runtime"]),
        "cost": format_dollars(Decimal(row["cost"])),
    }


def format_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def format_dollars(amount: Decimal) -> str:
    """With enough digits that a small amount never reads as zero."""
    digits = 2 if amount == 0 or abs(amount) >= 1 else max(2, 1 - amount.adjusted())
    return f"{'-' if amount < 0 else ''}${abs(amount):.{digits}f}"


def _write_raw(value: Any) -> None:
    if isinstance(value, bytes | bytearray):
        sys.stdout.flush()
        sys.stdout.buffer.write(value)
        sys.stdout.buffer.flush()
    elif isinstance(value, str):
        write(value.removesuffix("\n"))
    elif isinstance(value, Exception):
        write(f"{type(value).__name__}: {value}")
    else:
        write(_text(value))


def _text(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return cell(repr(value))


def _jsonable(jid: int, value: Any) -> Any:
    if isinstance(value, cloud.CloudException):
        return {"error": {"code": value.status, "message": str(value)}}
    try:
        json.dumps(value)
    except (TypeError, ValueError) as problem:
        raise Refused(f"The result of job {jid} has no JSON form ({problem}): ask for it without `-o json`.") from None
    return value
