"""The page on which cores are reserved, and the page of one reservation."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from common.exceptions import Refused
from jobs.forms import number_of
from jobs.views.requests import PageRequest
from realtime.display.rows import rows_of
from realtime.forms import DurationForm, RequestForm
from realtime.limits import limits
from realtime.pricing import Rule
from realtime.selectors import quote as quotes
from realtime.selectors import reservations
from realtime.services.request import request_cores

EXAMPLE = "import cloud\nwith cloud.realtime.cores('c1', 4):\n    print(cloud.result(cloud.map(f, range(1000))))"


def _form(request: PageRequest) -> RequestForm:
    offers = quotes.offers()
    initial = {"cores": 1, "request_key": uuid.uuid4().hex, "core_type": offers[0].core_type.code if offers else ""}
    return RequestForm(request.POST or None, initial=initial, offers=offers)


def _quote(request: PageRequest, typed: Any) -> dict[str, Any]:
    """The price of what is typed so far, or why there is none."""
    form = RequestForm(
        {"core_type": typed("core_type"), "cores": typed("cores"), "max_hours": typed("max_hours"), "request_key": "-"},
        offers=quotes.offers(),
    )
    form.is_valid()
    data = form.cleaned_data
    if "core_type" not in data or "cores" not in data:
        problems = [text for name in ("core_type", "cores") for text in form.errors.get(name, [])]
        return {"problem": problems[0] if problems else "Say how many cores to see their price."}
    return {
        "quote": quotes.quote(
            request.user, core_type=data["core_type"], cores=data["cores"], hours=data.get("max_hours")
        )
    }


def _is_quote(request: PageRequest) -> bool:
    """htmx asks for it while one types."""
    return request.method == "GET" and bool(request.htmx) and request.htmx.target == "quote"


def _page(request: PageRequest, form: RequestForm) -> HttpResponse:
    text = request.GET.get("before", "")
    page = reservations.reservations_of(request.user, before=number_of(text, name="before") if text else None)
    now = timezone.now()
    context = {
        "form": form,
        "rows": rows_of(page.rows, reservations.busy_cores(request.user), now=now),
        "before": page.before,
        "windows": reservations.windows_of(request.user),
        "limits": limits(),
        "example": EXAMPLE,
        **_quote(request, lambda name: form[name].value() or ""),
    }
    return render(request, "realtime/list.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def reservation_list(request: PageRequest) -> HttpResponse:
    """The form, and what was asked for before."""
    if _is_quote(request):
        return render(request, "realtime/_quote.html", _quote(request, lambda name: request.GET.get(name, "")))
    form = _form(request)
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        return _request(request, form)
    return _page(request, form)


def _request(request: PageRequest, form: RequestForm) -> HttpResponse:
    try:
        row, created = request_cores(
            account=request.user, terms=form.terms(), request_key=form.cleaned_data["request_key"]
        )
    except Refused as refusal:
        form.add_error("cores", refusal.message)
        return _page(request, form)
    mail = " You get a mail when they are ready." if request.user.email else ""
    said = f"is made: {row.cores} {row.core_type_id} cores.{mail}" if created else "was made before, and not again."
    messages.success(request, f"Request {row.number} {said}")
    return redirect("realtime:list")


@login_required
@require_GET
def reservation_detail(request: PageRequest, number: int) -> HttpResponse:
    row = reservations.reservation_for(request.user, number)
    return detail_page(request, row.number, DurationForm(initial={"max_hours": row.max_hours}))


def detail_page(request: PageRequest, number: int, form: DurationForm) -> HttpResponse:
    """The page of a reservation, with a form to change how long it lasts."""
    row = reservations.reservation_for(request.user, number)
    now: datetime = timezone.now()
    context = {
        "line": rows_of([row], reservations.busy_cores(request.user), now=now)[0],
        "row": row,
        "form": form,
        "events": reservations.events_of(row),
        "by_fee": settings.REALTIME_RULE == Rule.FEE,
    }
    return render(request, "realtime/detail.html", context, status=400 if form.errors else 200)
