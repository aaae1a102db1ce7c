"""What people do to reservations, and the windows that make some every week."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import Refused
from common.redirects import page_before
from crons.zones import zone_names
from jobs.views.requests import PageRequest
from realtime.forms import DurationForm, WindowForm
from realtime.selectors.quote import offers
from realtime.selectors.reservations import reservation_for
from realtime.services import change, windows
from realtime.states import EndReason
from realtime.views.pages import detail_page


@login_required
@require_POST
def reservation_release(request: PageRequest, number: int) -> HttpResponse:
    row = change.release(account=request.user, number=number)
    withdrawn = row.end_reason == EndReason.WITHDRAWN
    said = "is withdrawn; it cost nothing." if withdrawn else "is released. What runs on its cores runs on."
    messages.success(request, f"Request {number} {said}")
    return redirect(page_before(request, otherwise=reverse("realtime:list")))


@login_required
@require_POST
def reservation_duration(request: PageRequest, number: int) -> HttpResponse:
    reservation_for(request.user, number)
    form = DurationForm(request.POST)
    if form.is_valid():
        try:
            change.change_max_hours(account=request.user, number=number, max_hours=form.cleaned_data["max_hours"])
        except Refused as refusal:
            form.add_error("max_hours", refusal.message)
        else:
            messages.success(request, f"The maximum duration of request {number} is changed.")
            return redirect("realtime:detail", number=number)
    return detail_page(request, number, form)


@login_required
@require_http_methods(["GET", "POST"])
def window_new(request: PageRequest) -> HttpResponse:
    initial = {
        "cores": 1, "weekdays": [0, 1, 2, 3, 4], "begins": "09:00", "ends": "18:00", "timezone": request.user.time_zone,
    }  # fmt: skip
    form = WindowForm(request.POST or None, initial=initial, offers=offers())
    if request.method == "POST" and form.is_valid():
        try:
            window = windows.add_window(account=request.user, terms=form.terms())
        except Refused as refusal:
            form.add_error("cores", refusal.message)
        else:
            messages.success(request, f"Window {window.number} is kept: {window.weekly}.")
            return redirect("realtime:list")
    context = {"form": form, "zones": sorted(zone_names())}
    return render(request, "realtime/window.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def window_remove(request: PageRequest, number: int) -> HttpResponse:
    windows.remove_window(account=request.user, number=number)
    messages.success(request, f"Window {number} is removed. What it has made and is active goes on.")
    return redirect("realtime:list")
