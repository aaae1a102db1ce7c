"""Reserved cores over HTTP: request, list, change and release; windows of a week; and what cores would cost."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from api.auth import Caller
from api.errors import api_view, parse_json
from common.exceptions import Refused
from jobs.forms import number_of
from realtime.advice import Kept
from realtime.display.rows import Row, rows_of
from realtime.models import Reservation, ReservationWindow
from realtime.selectors import reservations as rows
from realtime.selectors.quote import quote as quote_for
from realtime.services import change, windows
from realtime.services.request import request_cores
from realtime.terms import check_core_type, check_cores, check_hours, parse_terms, parse_window

MAX_LISTED = 200


@api_view("GET", "POST")
def reservations(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    return _list(request, caller) if request.method == "GET" else _request(request, caller)


def _list(request: HttpRequest, caller: Caller) -> JsonResponse:
    before, limit = request.GET.get("before"), number_of(request.GET.get("limit", "50"), name="limit")
    page = rows.reservations_of(
        caller.account,
        before=number_of(before, name="before") if before else None,
        limit=min(max(limit, 1), MAX_LISTED),
        open_only=_flag(request.GET.get("open", "false")),
    )
    return JsonResponse({"reservations": _described(caller, page.rows), "next": page.before})


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise Refused("bad_option", f"open must be true or false, not {text[:40]!r}.")
    return text == "true"


def _request(request: HttpRequest, caller: Caller) -> JsonResponse:
    terms, key = parse_terms(parse_json(request))
    row, created = request_cores(account=caller.account, terms=terms, request_key=key)
    return _answer(caller, row, status=201 if created else 200)


def _answer(caller: Caller, row: Reservation, *, status: int = 200) -> JsonResponse:
    return JsonResponse(_described(caller, [row])[0], status=status)


@api_view("GET", "PATCH")
def reservation(request: HttpRequest, caller: Caller, number: int) -> JsonResponse:
    if request.method == "PATCH":
        wanted = parse_json(request)
        if set(wanted) != {"max_hours"}:
            raise Refused("unknown_option", "A request for cores has max_hours to change, and nothing else.")
        change.change_max_hours(account=caller.account, number=number, max_hours=wanted["max_hours"])
    return _answer(caller, rows.reservation_for(caller.account, number))


@api_view("POST")
def release(request: HttpRequest, caller: Caller, number: int) -> JsonResponse:
    return _answer(caller, change.release(account=caller.account, number=number))


@api_view("GET", "POST")
def window_list(request: HttpRequest, caller: Caller) -> JsonResponse:
    if request.method == "GET":
        return JsonResponse({"windows": [_window(row) for row in rows.windows_of(caller.account)]})
    row = windows.add_window(account=caller.account, terms=parse_window(parse_json(request)))
    return JsonResponse(_window(row), status=201)


@api_view("DELETE")
def window(request: HttpRequest, caller: Caller, number: int) -> HttpResponse:
    windows.remove_window(account=caller.account, number=number)
    return HttpResponse(status=204)


@api_view("GET")
def quote(request: HttpRequest, caller: Caller) -> JsonResponse:
    core_type = check_core_type(request.GET.get("type", ""))
    cores = check_cores(number_of(request.GET.get("cores", ""), name="cores"), core_type)
    hours = request.GET.get("hours")
    found = quote_for(
        caller.account,
        core_type=core_type.code,
        cores=cores,
        hours=check_hours(number_of(hours, name="hours")) if hours else None,
    )
    return JsonResponse(
        {
            "type": found.core_type,
            "cores": found.cores,
            "rule": found.rule,
            "dollars_per_reserved_core_hour": _money(found.per_core_hour),
            "dollars_per_core_hour": _money(found.standard_price),
            "per_hour": _money(found.per_hour),
            "in_all": None if found.in_all is None else _money(found.in_all),
            "last_30_days": {
                "kept_always": _kept(found.advice.always),
                "kept_while_used": _kept(found.advice.while_used),
                "break_even_always": found.advice.free_always,
                "break_even_mostly": found.advice.free_mostly,
            },
        }
    )


def _kept(kept: Kept) -> dict[str, Any]:
    return {"hours": kept.hours, "with": _money(kept.with_them), "without": _money(kept.without)}


def _money(amount: Decimal) -> str:
    """As text: an amount of money is exact."""
    return f"{amount.normalize():f}"


def _described(caller: Caller, found: list[Reservation]) -> list[dict[str, Any]]:
    return [_one(line) for line in rows_of(found, rows.busy_cores(caller.account), now=timezone.now())]


def _one(line: Row) -> dict[str, Any]:
    row = line.row
    return {
        "request_id": row.number,
        "type": row.core_type_id,
        "cores": row.cores,
        "state": row.state,
        "start_time": _time(row.ready_at),
        "requested": row.requested_at.isoformat(),
        "not_before": row.starts_at.isoformat(),
        "max_hours": row.max_hours,
        "ends_by": _time(row.ends_by) if row.is_open else None,
        "ended": _time(row.ended_at),
        "end_reason": row.end_reason or None,
        "note": row.note or None,
        "expected": _time(row.expected_at),
        "window": row.window.number if row.window else None,
        "busy_cores": line.busy,
        "per_hour": _money(row.minimum),
        "used": _money(row.used),
        "paid": _money(line.paid),
        "counted": _time(row.counted_at),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _window(row: ReservationWindow) -> dict[str, Any]:
    return {
        "window_id": row.number,
        "type": row.core_type_id,
        "cores": row.cores,
        "weekdays": row.weekdays,
        "begins": f"{row.begins:%H:%M}",
        "ends": f"{row.ends:%H:%M}",
        "timezone": row.timezone,
        "words": str(row.weekly),
        "next": _time(row.next_at),
    }
