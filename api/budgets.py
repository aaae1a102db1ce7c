"""Budgets over HTTP: set, list, change, remove; what is held for them, and how to let it go on."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from api.auth import Caller
from api.errors import api_view, parse_json
from api.keys import Forbidden
from billing.models import Budget
from billing.selectors import budgets as selectors
from billing.selectors.spending import Standing
from billing.services import budgets as services
from billing.services.brake import lift_brake
from common.exceptions import Refused


def _not_from_a_job(caller: Caller) -> None:
    """What runs must not be able to raise the limit that holds it."""
    if caller.jid is not None:
        raise Forbidden("not_in_a_job", "A running job cannot change budgets. Do it with a key, or on the web page.")


@api_view("GET", "POST")
def budgets(request: HttpRequest, caller: Caller) -> JsonResponse:
    if request.method == "POST":
        return _set(request, caller)
    found = selectors.budgets_of(caller.account, timezone.now())
    held = selectors.holds_on(caller.account)
    return JsonResponse({"budgets": [_budget(row) for row in found], "held": [_held(row) for row in held]})


def _set(request: HttpRequest, caller: Caller) -> JsonResponse:
    _not_from_a_job(caller)
    body = parse_json(request)
    known = ("amount", "scope", "name", "action", "mails")
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise Refused("unknown_option", f"A budget has no {unknown[0][:40]!r}; it has {', '.join(known)}.")
    if "amount" not in body:
        raise Refused("bad_amount", "Say how much: amount is dollars of a month.")
    return _answer(services.set_budget(account=caller.account, **body), status=201)


def _answer(budget: Budget, *, status: int = 200) -> JsonResponse:
    budget.refresh_from_db()
    return JsonResponse(_budget(selectors.standing_of(budget, timezone.now())), status=status)


@api_view("GET", "PATCH", "DELETE")
def budget(request: HttpRequest, caller: Caller, number: int) -> HttpResponseBase:
    if request.method == "GET":
        return _answer(selectors.budget_for(caller.account, number))
    _not_from_a_job(caller)
    if request.method == "DELETE":
        services.remove_budget(account=caller.account, number=number)
        return HttpResponse(status=204)
    return _answer(services.change_budget(account=caller.account, number=number, wanted=parse_json(request)))


@api_view("POST")
def waive(request: HttpRequest, caller: Caller, number: int) -> JsonResponse:
    _not_from_a_job(caller)
    return _answer(services.waive_budget(account=caller.account, number=number, by=caller.account))


@api_view("POST")
def lift(request: HttpRequest, caller: Caller, number: int) -> JsonResponse:
    _not_from_a_job(caller)
    brake = lift_brake(number=number, by=caller.account)
    return JsonResponse({"brake": brake.pk, "api_key": brake.api_key})


def _budget(standing: Standing) -> dict[str, Any]:
    row, forecast = standing.budget, standing.forecast_amount
    return {
        "budget": row.pk,
        "scope": row.scope,
        "name": row.name or None,
        "amount": f"{row.amount:f}",
        "action": row.action,
        "mails": row.mails,
        "month": str(standing.month),
        "spent": f"{standing.spent:f}",
        "running": f"{standing.running_amount:f}",
        "left": f"{standing.left:f}",
        "percent": standing.percent,
        "forecast": None if forecast is None else f"{forecast:f}",
        "holds": standing.holds,
        "waived": standing.is_waived,
    }


def _held(row: selectors.Held) -> dict[str, Any]:
    hold = row.hold
    kind, _, number = hold.source.partition("-")
    return {
        "reason": hold.reason,
        "sentence": hold.sentence,
        "since": hold.since.isoformat(),
        "label": hold.label or None,
        "api_key": hold.api_key,
        "jobs": row.jobs,
        "budget": int(number) if kind == "budget" else None,
        "brake": int(number) if kind == "brake" else None,
    }
