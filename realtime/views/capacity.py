"""Capacity, for the operator: what is decided and why, the machines, and what came beside what had been expected."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from jobs.forms import number_of
from jobs.views.requests import PageRequest
from realtime.display.load import chart_of
from realtime.display.machines import rows_of
from realtime.selectors import decisions
from realtime.selectors.backlog import busy_cores
from realtime.selectors.forecast import hours_of
from realtime.selectors.hosts import recent_hosts
from realtime.selectors.operator import check_operator


@login_required
@require_GET
def capacity_overview(request: PageRequest) -> HttpResponse:
    check_operator(request.user)
    before, acts_only = request.GET.get("before", ""), request.GET.get("show") == "acts"
    now = timezone.now()
    hours = hours_of(now)
    context = {
        "latest": decisions.latest_decisions(),
        "machines": rows_of(
            list(recent_hosts(days=1)), busy=busy_cores(), increment=settings.BILLING_INCREMENT, now=now
        ),
        "page": decisions.decision_page(
            before=number_of(before, name="before") if before else None, acts_only=acts_only
        ),
        "acts_only": acts_only,
        "hours": hours,
        "chart": chart_of(hours),
    }
    return render(request, "realtime/capacity.html", context)
