"""What people do to crons, each with one button."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from common.redirects import page_before
from common.text import make_visible
from crons.selectors import cron_for
from crons.services import change, register
from crons.services.run import run_now
from jobs.views.requests import PageRequest


def _back(request: PageRequest, label: str) -> HttpResponse:
    return redirect(page_before(request, otherwise=reverse("crons:detail", args=[label])))


@login_required
@require_POST
def cron_run(request: PageRequest, label: str) -> HttpResponse:
    jid = run_now(account=request.user, label=label)
    messages.success(request, f"{make_visible(label)} runs now, as job {jid}.")
    return _back(request, label)


@login_required
@require_POST
def cron_pause(request: PageRequest, label: str) -> HttpResponse:
    change.pause(account=request.user, label=label)
    messages.success(request, f"{make_visible(label)} is paused: it runs no more until it is resumed.")
    return _back(request, label)


@login_required
@require_POST
def cron_resume(request: PageRequest, label: str) -> HttpResponse:
    change.resume(account=request.user, label=label)
    messages.success(request, f"{make_visible(label)} runs by its schedule again.")
    return _back(request, label)


@login_required
@require_POST
def cron_alerts(request: PageRequest, label: str) -> HttpResponse:
    wanted = request.POST.get("alerts") == "on"
    change.set_options(account=request.user, label=label, alerts=wanted)
    messages.success(request, f"Changes of its state are {'mailed' if wanted else 'no longer mailed'}.")
    return _back(request, label)


@login_required
@require_http_methods(["GET", "POST"])
def cron_remove(request: PageRequest, label: str) -> HttpResponse:
    """Asks, with the consequences, and removes when the answer is posted."""
    cron = cron_for(request.user, label)
    if request.method == "GET":
        return render(request, "crons/remove.html", {"cron": cron, "schedule": cron.parsed})
    register.deregister(account=request.user, label=label)
    messages.success(request, f"{make_visible(label)} is removed. Its jobs are still under Jobs.")
    return redirect("crons:list")
