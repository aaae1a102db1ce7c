"""The month as it stands, the lines behind its amounts, and what things cost."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing.display.chart import chart_of
from billing.display.tables import kind_rows, shown
from billing.forms import asked_month, asked_names
from billing.months import month_of
from billing.selectors import entries, months, rates
from jobs.forms import number_of
from jobs.views.requests import PageRequest


@login_required
@require_GET
def month_detail(request: PageRequest) -> HttpResponse:
    now = timezone.now()
    month = asked_month(request.GET, now)
    is_present = month == month_of(now)
    tables = [shown(months.cut_by(request.user, month, column)) for column in months.CUTS]
    context = {
        "month": month,
        "is_present": is_present,
        "total": months.total_of(request.user, month),
        "running": months.running_of(request.user) if is_present else None,
        "forecast": months.forecast_of(request.user, now) if is_present else None,
        "chart": chart_of(months.series_of(request.user, month), month),
        "kinds": kind_rows(months.kinds_of(request.user, month)),
        "tables": [table for table in tables if table],
    }
    return render(request, "billing/month.html", context)


@login_required
@require_GET
def entry_list(request: PageRequest) -> HttpResponse:
    month = asked_month(request.GET, timezone.now())
    names = asked_names(request.GET)
    before = request.GET.get("before")
    page = entries.entry_page(
        request.user, month, names=names, before=number_of(before, name="before") if before else None
    )
    context = {
        "month": month,
        "names": names,
        "page": page,
        "there": entries.batches_there(page.entries),
        "total": months.total_of(request.user, month, names),
        "is_older": bool(before),
    }
    return render(request, "billing/entries.html", context)


@login_required
@require_GET
def rate_list(request: PageRequest) -> HttpResponse:
    context = {"cores": rates.core_rates(), "others": rates.other_rates()}
    return render(request, "billing/rates.html", context)
