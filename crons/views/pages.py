"""The list of crons, and the page of one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from crons import selectors
from crons.display.heat import heat_of
from crons.display.looks import look_of_cron, look_of_run
from crons.display.rows import rows_of
from crons.display.strip import strip_of
from crons.models import Cron, CronRun
from jobs.forms import number_of
from jobs.views.requests import PageRequest

MOST_OUTPUT = 20_000  # characters of a failure; its job's page has the rest
# What a newcomer registers first. It holds no key: `picloud setup` keeps that elsewhere.
EXAMPLE = 'import cloud\ndef hello(): print("hello")\ncloud.cron.register(hello, "hello", "* * * * *")'


@login_required
@require_GET
def cron_list(request: PageRequest) -> HttpResponse:
    text, after = request.GET.get("text", "").strip(), request.GET.get("after") or None
    page = selectors.crons_of(request.user, text=text, after=after)
    context = {"rows": rows_of(page.lines), "text": text, "after": page.after, "example": EXAMPLE}
    return render(request, "crons/list.html", context)


def _history(cron: Cron, query: QueryDict) -> dict[str, object]:
    text = query.get("before", "")
    page = selectors.runs_of(cron, before=number_of(text, name="before") if text else None)
    return {"runs": [(run, look_of_run(run)) for run in page.runs], "before": page.before, "is_older": bool(text)}


def _failure(run: CronRun | None) -> dict[str, object]:
    text = selectors.failure_output(run) if run else ""
    return {"failed": run, "failure": text[-MOST_OUTPUT:], "is_cut": len(text) > MOST_OUTPUT}


@login_required
@require_GET
def cron_detail(request: PageRequest, label: str) -> HttpResponse:
    cron = selectors.cron_for(request.user, label)
    schedule = cron.parsed
    today = timezone.now().astimezone(schedule.zone).date()
    runs = selectors.last_runs(cron)
    context = {
        "cron": cron,
        "schedule": schedule,
        "look": look_of_cron(cron),
        "strip": strip_of(runs),
        "last": runs[-1] if runs else None,
        "last_look": look_of_run(runs[-1]) if runs else None,
        "price": selectors.price_of(cron),
        "next_runs": selectors.next_runs(cron),
        "heat": heat_of(selectors.days_of(cron), today=today),
        "events": selectors.events_of(cron),
        "digest": selectors.code_digest(cron),
        **_history(cron, request.GET),
        **_failure(selectors.last_failure(cron)),
    }
    return render(request, "crons/detail.html", context)
