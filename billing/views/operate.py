"""The books of the whole installation, for its operator."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from billing.display.chart import chart_of
from billing.forms import asked_month
from billing.months import month_of
from billing.selectors import operator
from billing.selectors.margin import margin_of, reserved_now
from billing.selectors.months import series_of
from billing.services.reconcile import reconcile
from billing.services.usage import post_usage
from jobs.views.requests import PageRequest


@login_required
@require_GET
def billing_overview(request: PageRequest) -> HttpResponse:
    operator.check_operator(request.user)
    now = timezone.now()
    month = asked_month(request.GET, now)
    overview = operator.overview_of(month, now)
    reconciliations = operator.reconciliations()
    context = {
        "month": month,
        "is_present": month == month_of(now),
        "overview": overview,
        "margin": margin_of(month, overview.total, now),
        "reserved": reserved_now(),
        "chart": chart_of(series_of(None, month), month),
        "reconciliations": reconciliations,
        "last": reconciliations[0] if reconciliations else None,
    }
    return render(request, "billing/operate.html", context)


@login_required
@require_POST
def billing_reconcile(request: PageRequest) -> HttpResponse:
    """Look now instead of at night."""
    operator.check_operator(request.user)
    post_usage()
    found = reconcile()
    if found.is_well:
        messages.success(request, f"{found.usage_rows:,} runs were compared with the ledger: the difference is 0.")
    else:
        messages.error(request, "The ledger is not what usage says: see below.")
    return redirect("billing:operate")
