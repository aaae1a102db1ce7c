"""The page that shows the whole design system at once, for developers."""

import math
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crons.display.heat import heat_of
from crons.display.looks import MARKS, STATES
from crons.models import CronDay
from jobs.display.bars import bar_of
from jobs.display.charts import metrics_charts
from jobs.display.looks import look_of
from jobs.states import Reason, Status

SURFACES = ["paper", "surface", "sunken", "ink", "ink-2", "ink-3", "line", "line-strong", "accent", "accent-soft"]
COUNTS = dict(zip(Status, (40, 120, 30, 700, 60, 30, 20), strict=True))

# Days of the calendar, over and over: well, late, half, bad, none.
DAYS: list[dict[str, int]] = [
    *[{"n_ok": 9}] * 9,
    {"n_ok": 9, "n_late": 1},
    {"n_ok": 5, "n_failed": 2},
    {"n_missed": 3},
    {},
]


def _days(today: date) -> list[CronDay]:
    return [CronDay(day=today - timedelta(days=n), **DAYS[n % len(DAYS)]) for n in range(300)]


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    looks = [look_of(status) for status in Status]
    looks += [
        look_of(Status.PROCESSING, stopping=True),
        look_of(Status.KILLED, Reason.OUT_OF_MEMORY),
        look_of(Status.KILLED, Reason.WORKER_LOST),
    ]
    samples = [(s / 2, 60 + 35 * math.sin(s / 9), 4e7 + 2.4e8 * (1 - math.exp(-s / 60))) for s in range(200)]
    context = {
        "surfaces": SURFACES + [status.value for status in Status] + ["lost"],
        "looks": looks,
        "map_bar": bar_of(COUNTS, total=1000, width=240),
        "cron_looks": [*STATES.values(), *MARKS.values()],
        "heat": heat_of(_days(date(2026, 11, 27)), today=date(2026, 11, 27)),
        "charts": metrics_charts(samples, cores=1, memory_limit=3e8),
    }
    return render(request, "style.html", context)
