"""What people do to jobs. Each asks once more, with what it will cost, unless told `confirm`."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from common.redirects import page_before
from jobs.forms import numbers_of
from jobs.selectors.detail import job_for
from jobs.selectors.selection import Selection, selection_of
from jobs.services.delete import delete_jobs
from jobs.services.kill import kill_jobs
from jobs.services.submit import rerun_job
from jobs.views.requests import PageRequest


def _jobs(n: int) -> str:
    return "1 job" if n == 1 else f"{n:,} jobs"


def _selection(request: PageRequest) -> Selection:
    return selection_of(
        account=request.user,
        batches=numbers_of(request.POST.getlist("batch"), name="batch"),
        jids=numbers_of(request.POST.getlist("jid"), name="jid"),
    )


def _back(request: PageRequest) -> str:
    """The page of ours that the person came from, else the panel."""
    return page_before(request, otherwise=reverse("jobs:list"))


def _ask(request: PageRequest, *, act: str, selection: Selection, jids: list[int] | None = None) -> HttpResponse:
    """The question before the act: a page, or for htmx the part that goes into the open page."""
    context = {
        "act": act,
        "selection": selection,
        "batches": request.POST.getlist("batch"),
        "jids": jids or request.POST.getlist("jid"),
        "next": _back(request),
    }
    return render(request, "jobs/_confirm.html" if request.htmx else "jobs/confirm.html", context)


@login_required
@require_POST
def bulk_kill(request: PageRequest) -> HttpResponse:
    selection = _selection(request)
    if not (selection.unfinished and request.POST.get("confirm")):
        return _ask(request, act="kill", selection=selection)
    _kill(request, selection.unfinished)
    return redirect(_back(request))


def _kill(request: PageRequest, jids: list[int]) -> None:
    outcome = kill_jobs(account=request.user, jids=jids, by=request.user)
    said = [f"{_jobs(outcome.killed)} killed" if outcome.killed else ""]
    said.append(f"{_jobs(outcome.stopping)} stopping" if outcome.stopping else "")
    messages.success(request, ", ".join(filter(None, said)) + "." if any(said) else "Nothing was left to kill.")


@login_required
@require_POST
def bulk_delete(request: PageRequest) -> HttpResponse:
    selection = _selection(request)
    if not (selection.finished and request.POST.get("confirm")):
        return _ask(request, act="delete", selection=selection)
    deleted = delete_jobs(account=request.user, jids=selection.finished)
    messages.success(request, f"{_jobs(deleted)} deleted.")
    return redirect(_back(request))


@login_required
@require_POST
def job_kill(request: PageRequest, jid: int) -> HttpResponse:
    job = job_for(account=request.user, jid=jid)
    if not request.POST.get("confirm"):
        selection = selection_of(account=request.user, batches=[], jids=[jid])
        return _ask(request, act="kill", selection=selection, jids=[jid])
    _kill(request, [job.jid])
    return redirect("jobs:detail", jid=jid)


@login_required
@require_POST
def job_rerun(request: PageRequest, jid: int) -> HttpResponse:
    job = job_for(account=request.user, jid=jid)
    batch = rerun_job(account=request.user, jid=job.jid)
    messages.success(request, f"Job {jid} runs again as job {batch.first_jid}.")
    return redirect("jobs:detail", jid=batch.first_jid)
