"""Jobs over HTTP: submit, ask, kill, delete, run again. Waiting for results is in `api.live`."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from api.auth import Caller
from api.errors import api_view, parse_json
from api.fields import fields_for
from common import packs
from common.exceptions import Refused
from common.ranges import Range, members
from jobs.forms import FilterForm, number_of
from jobs.models import Batch
from jobs.selectors import panel
from jobs.selectors.detail import job_for
from jobs.services import delete, info, kill
from jobs.services import packs as argument_packs
from jobs.services import submit as submits
from jobs.services.submission import parse_ranges, parse_submission
from storage.services import read_blob

MAX_JIDS = 10_000  # of one request
MAX_LISTED = 200  # submits on one page of the list


def _ranges(body: dict[str, Any]) -> tuple[Range, ...]:
    return parse_ranges(body.get("jids"), limit=MAX_JIDS)


def described(first_jid: int, size: int) -> dict[str, Any]:
    return {
        "first_jid": first_jid,
        "last_jid": first_jid + size - 1,
        "count": size,
        "url": reverse("jobs:detail", args=[first_jid]),
    }


def accept_submit(caller: Caller, body: bytes) -> tuple[dict[str, Any], int]:
    """Carry out a submitting request; answers what to say and the HTTP status."""
    submission = parse_submission(*packs.parse(body))
    accepted = submits.submit(
        account=caller.account, submission=submission, parent_jid=caller.jid, api_key=caller.api_key
    )
    return described(accepted.first_jid, accepted.size), 201 if accepted.created else 200


@api_view("GET", "POST")
def jobs(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    if request.method == "GET":
        return _list(request, caller)
    answer, status = accept_submit(caller, request.body)
    return JsonResponse(answer, status=status)


def _list(request: HttpRequest, caller: Caller) -> JsonResponse:
    """A page of submits, newest first, by the same filters as the dashboard's panel."""
    form = FilterForm(request.GET, core_types=panel.core_types())
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise Refused("bad_filter", f"{name}: {errors[0]}")
    before = request.GET.get("before")
    limit = min(max(number_of(request.GET.get("limit", "50"), name="limit"), 1), MAX_LISTED)
    page = panel.batch_page(
        account=caller.account,
        filters=form.filters(),
        before=number_of(before, name="before") if before else None,
        limit=limit,
    )
    return JsonResponse({"jobs": [_batch_row(batch) for batch in page.batches], "next": page.older})


def _batch_row(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "first_jid": batch.first_jid,
        "last_jid": batch.last_jid,
        "is_map": batch.is_map,
        "function": str(batch.function),
        "label": batch.label or None,
        "type": batch.core_type_id,
        "cores": batch.cores,
        "counts": {status: number for status, number in batch.counts.items() if number},
        "created": batch.created_at.isoformat(),
        "finished": batch.finished_at.isoformat() if batch.finished_at else None,
        "runtime": batch.run_ms / 1000,
        "cost": f"{batch.cost:f}",
        "compute_hours": f"{batch.compute_hours:f}",
    }


@api_view("GET")
def job(request: HttpRequest, caller: Caller, jid: int) -> JsonResponse:
    known = fields_for(caller.account)
    found = job_for(account=caller.account, jid=jid)
    return JsonResponse({"jid": jid, **info.describe_job(found, list(known), known=known)})


@api_view("POST")
def job_info(request: HttpRequest, caller: Caller) -> JsonResponse:
    body = parse_json(request)
    known = fields_for(caller.account)
    fields = info.check_fields(body.get("fields"), known=known)
    found = kill.jobs_in_ranges(caller.account, _ranges(body))
    rows = found.select_related("batch__core_type", "batch__function", "batch__environment", "result")
    rows = rows.prefetch_related("logs") if {"stdout", "stderr", "logging"} & set(fields) else rows
    told = {str(row.jid): info.describe_job(row, fields, known=known) for row in rows.order_by("jid")}
    return JsonResponse({"jobs": told})


@api_view("GET")
def job_function(request: HttpRequest, caller: Caller, jid: int) -> HttpResponse:
    return _bytes(read_blob(job_for(account=caller.account, jid=jid).batch.function_blob))


@api_view("GET")
def job_arguments(request: HttpRequest, caller: Caller, jid: int) -> HttpResponse:
    found = job_for(account=caller.account, jid=jid)
    return _bytes(argument_packs.read_item(found.batch, found.index))


def _bytes(data: bytes) -> HttpResponse:
    """Pickles go to their owner's client only as bytes to be saved, whatever asks for them."""
    return HttpResponse(data, content_type="application/octet-stream", headers={"Content-Disposition": "attachment"})


@api_view("GET")
def job_log(request: HttpRequest, caller: Caller, jid: int) -> HttpResponse:
    stream = request.GET.get("stream", "stdout")
    if stream not in ("stdout", "stderr", "logging"):
        raise Refused("unknown_stream", f"There is no stream {stream!r}; there are stdout, stderr and logging.")
    text = info.read_log(job_for(account=caller.account, jid=jid), stream)
    return HttpResponse(text.encode("utf-8", "replace"), content_type="text/plain; charset=utf-8")


@api_view("POST")
def job_rerun(request: HttpRequest, caller: Caller, jid: int) -> JsonResponse:
    again = submits.rerun_job(account=caller.account, jid=jid, api_key=caller.api_key)
    return JsonResponse(described(again.first_jid, 1), status=201)


@api_view("POST")
def kill_jobs(request: HttpRequest, caller: Caller) -> JsonResponse:
    body = parse_json(request)
    if "jids" not in body:
        raise Refused("bad_jids", "Say which jobs: jids is a list of [first, last] ranges, or null for all of yours.")
    jids = None if body["jids"] is None else list(members(_ranges(body)))
    result = kill.kill_jobs(account=caller.account, jids=jids, by=caller.account)
    return JsonResponse({"killed": result.killed, "stopping": result.stopping})


@api_view("POST")
def delete_jobs(request: HttpRequest, caller: Caller) -> JsonResponse:
    jids = list(members(_ranges(parse_json(request))))
    return JsonResponse({"deleted": delete.delete_jobs(account=caller.account, jids=jids)})
