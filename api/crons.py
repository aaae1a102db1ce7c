"""Crons over HTTP: register, list, look, change, run, remove; and what a schedule would mean."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from api.auth import Caller
from api.errors import api_view, parse_json
from api.jobs import described
from common import packs
from common.exceptions import Refused
from crons import selectors
from crons.models import Cron, CronRun
from crons.schedule import Upcoming
from crons.services import change, register
from crons.services.run import run_now
from crons.terms import parse_terms
from jobs.forms import number_of
from jobs.services.submission import parse_submission

MAX_LISTED = 200  # crons or runs of one answer
NEXT_RUNS = 10


def limit_of(request: HttpRequest) -> int:
    """How many things an answer is asked to have."""
    return min(max(number_of(request.GET.get("limit", "50"), name="limit"), 1), MAX_LISTED)


@api_view("GET", "POST")
def crons(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    return _list(request, caller) if request.method == "GET" else _register(request, caller)


def _list(request: HttpRequest, caller: Caller) -> JsonResponse:
    text, after = request.GET.get("text", ""), request.GET.get("after")
    page = selectors.crons_of(caller.account, text=text, after=after, limit=limit_of(request))
    return JsonResponse({"crons": [_line(line) for line in page.lines], "next": page.after})


def _register(request: HttpRequest, caller: Caller) -> JsonResponse:
    header, body = packs.parse(request.body)
    submission = parse_submission(header, body)
    terms = parse_terms(header.get("cron"))
    cron, created = register.register(
        account=caller.account, submission=submission, terms=terms, api_key=caller.api_key
    )
    return _answer(caller, cron.label, status=201 if created else 200)


def _answer(caller: Caller, label: str, *, status: int = 200) -> JsonResponse:
    return JsonResponse(_line(selectors.line_for(caller.account, label)), status=status)


@api_view("GET", "PATCH", "DELETE")
def cron(request: HttpRequest, caller: Caller, label: str) -> HttpResponseBase:
    if request.method == "DELETE":
        register.deregister(account=caller.account, label=label)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        change.change(account=caller.account, label=label, wanted=parse_json(request))
    return _answer(caller, label)


@api_view("POST")
def run(request: HttpRequest, caller: Caller, label: str) -> JsonResponse:
    return JsonResponse(described(run_now(account=caller.account, label=label), 1), status=201)


@api_view("GET")
def runs(request: HttpRequest, caller: Caller, label: str) -> JsonResponse:
    found = selectors.cron_for(caller.account, label)
    before = request.GET.get("before")
    number = number_of(before, name="before") if before else None
    page = selectors.runs_of(found, before=number, limit=limit_of(request))
    return JsonResponse({"runs": [_run(row) for row in page.runs], "next": page.before})


@api_view("POST")
def schedule(request: HttpRequest, _caller: Caller) -> JsonResponse:
    body = parse_json(request)
    if "schedule" not in body:
        raise Refused("bad_schedule", "Say which: schedule is text such as '*/5 * * * *', or five fields.")
    found = selectors.preview(body["schedule"], body.get("timezone", "UTC"), number=NEXT_RUNS)
    parsed = found.schedule
    return JsonResponse(
        {
            "schedule": parsed.text,
            "timezone": parsed.timezone,
            "words": found.words,
            "is_interval": parsed.is_interval,
            "runs": _upcoming(found.runs),
        }
    )


def _upcoming(runs: Sequence[Upcoming]) -> list[dict[str, Any]]:
    return [
        {
            "at": run.at.isoformat(),
            "local": run.local.isoformat(),
            "clocks_forward_s": int(run.forward.total_seconds()),
        }
        for run in runs
    ]


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _line(line: selectors.CronLine) -> dict[str, Any]:
    found: Cron = line.cron
    last = line.last_start
    return {
        "label": found.label,
        "schedule": found.schedule,
        "timezone": found.timezone,
        "words": line.schedule.words,
        "state": found.state,
        "state_since": found.state_since.isoformat(),
        "paused": found.is_paused,
        "next_run": _time(found.next_at),
        "next_runs": [run.at.isoformat() for run in selectors.next_runs(found, number=NEXT_RUNS)],
        "last_run": _time(last.scheduled_at if last else None),
        "last_jid": last.jid if last else None,
        "last_outcome": last.mark if last else None,
        "overlap": found.overlap,
        "catch_up": found.catch_up,
        "start_grace_s": found.start_grace_s,
        "alerts": found.alerts,
        "created": found.created_at.isoformat(),
        "registered": found.registered_at.isoformat(),
        "registration": found.registration,
        "creator_host": found.client.get("hostname") or None,
        "func_name": str(found.function),
        "modules": found.module_names,
        "core_type": found.core_type_id,
        "cores": found.cores,
        "max_runtime": found.max_runtime_ms / 60_000 if found.max_runtime_ms else None,
        "max_cost": None if found.max_cost is None else f"{found.max_cost:f}",
        "cost_this_month": f"{line.price.so_far:f}",
        "projected_cost": None if line.price.projected is None else f"{line.price.projected:f}",
    }


def _run(row: CronRun) -> dict[str, Any]:
    return {
        "run": row.pk,
        "scheduled": row.scheduled_at.isoformat(),
        "trigger": row.trigger,
        "outcome": row.outcome,
        "instants": row.instants,
        "mark": row.mark,
        "late": row.is_late,
        "jid": row.jid,
        "registration": row.registration,
        "submitted": _time(row.submitted_at),
        "started": _time(row.started_at),
        "finished": _time(row.finished_at),
        "runtime": None if row.run_ms is None else row.run_ms / 1000,
        "cost": f"{row.cost:f}",
    }
