"""Choosing when a function runs: of a cron that exists, and of a new one out of a job."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import Refused
from common.text import make_visible
from crons import selectors
from crons.forms import DEFAULTS, FromJobForm, OptionsForm, ScheduleForm
from crons.models import Cron
from crons.services import change, register
from crons.zones import zone_names
from jobs.models import Job
from jobs.selectors.detail import job_for
from jobs.views.requests import PageRequest


def _preview(schedule: str, timezone: str) -> dict[str, object]:
    """The next runs, or why there are none."""
    if not schedule.strip():
        return {"problem": "Type a schedule to see when it would run."}
    try:
        return {"preview": selectors.preview(schedule, timezone or "UTC")}
    except Refused as refusal:
        return {"problem": refusal.message}


def _is_preview(request: PageRequest) -> bool:
    """htmx asks for it while one types."""
    return request.method == "GET" and bool(request.htmx) and request.htmx.target == "preview"


def _preview_part(request: PageRequest) -> HttpResponse:
    context = _preview(request.GET.get("schedule", ""), request.GET.get("timezone", ""))
    return render(request, "crons/_preview.html", context)


def _page(request: PageRequest, template: str, form: ScheduleForm | FromJobForm, **context: object) -> HttpResponse:
    typed = _preview(str(form["schedule"].value() or ""), str(form["timezone"].value() or ""))
    context = {"form": form, "here": request.path, "zones": sorted(zone_names()), **typed, **context}
    return render(request, template, context, status=400 if form.errors else 200)


def _options_form(cron: Cron) -> OptionsForm:
    return OptionsForm(
        initial={"overlap": cron.overlap, "catch_up": cron.catch_up, "start_grace": f"{cron.start_grace_s / 60:g}"}
    )


@login_required
@require_http_methods(["GET", "POST"])
def cron_edit(request: PageRequest, label: str) -> HttpResponse:
    cron = selectors.cron_for(request.user, label)
    if _is_preview(request):
        return _preview_part(request)
    form = ScheduleForm(request.POST or None, initial={"schedule": cron.schedule, "timezone": cron.timezone})
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        change.change_schedule(account=request.user, label=label, **form.cleaned_data)
        messages.success(request, f"{make_visible(label)} runs by its new schedule from now on.")
        return redirect("crons:detail", label=label)
    return _page(request, "crons/edit.html", form, cron=cron, options=_options_form(cron))


@login_required
@require_POST
def cron_options(request: PageRequest, label: str) -> HttpResponse:
    cron = selectors.cron_for(request.user, label)
    options = OptionsForm(request.POST)
    if options.is_valid():
        data = options.cleaned_data
        change.set_options(
            account=request.user,
            label=label,
            overlap=data["overlap"],
            catch_up=data["catch_up"],
            start_grace_s=data["start_grace"],
        )
        messages.success(request, "The options are saved.")
        return redirect("crons:detail", label=label)
    form = ScheduleForm(initial={"schedule": cron.schedule, "timezone": cron.timezone})
    answer = _page(request, "crons/edit.html", form, cron=cron, options=options)
    answer.status_code = 400
    return answer


def _label_for(job: Job) -> str:
    """A label to begin with: the job's own, or its function's name."""
    text = job.batch.label.removeprefix("cron_") or job.batch.function.name
    return "".join(c for c in text if c.isascii() and c.isprintable() and c not in "/<>").strip(" .")[:100]


@login_required
@require_http_methods(["GET", "POST"])
def job_schedule(request: PageRequest, jid: int) -> HttpResponse:
    """Schedule this: a cron out of a job's function, arguments and options."""
    job = job_for(account=request.user, jid=jid)
    if _is_preview(request):
        return _preview_part(request)
    initial = {**DEFAULTS, "label": _label_for(job), "schedule": "@daily", "timezone": request.user.time_zone}
    form = FromJobForm(
        request.POST or None, initial=initial, taken=lambda label: selectors.has_cron(request.user, label)
    )
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        cron, created = register.schedule_job(account=request.user, jid=jid, terms=form.terms())
        said = "runs by its schedule from now on" if created else "is replaced, and its history kept"
        messages.success(request, f"{make_visible(cron.label)} {said}.")
        return redirect(reverse("crons:detail", args=[cron.label]))
    return _page(request, "crons/from_job.html", form, job=job)
