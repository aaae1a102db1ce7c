"""The page of one job, and its output as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from common.exceptions import NotFound
from jobs.display.bars import bar_of
from jobs.display.charts import metrics_charts, waterfall_of
from jobs.display.looks import look_of_job
from jobs.display.output import Output, as_file, output_of
from jobs.display.price import bill_of
from jobs.display.rows import row_of_job
from jobs.models import Job
from jobs.selectors import detail
from jobs.selectors.holds import hold_on
from jobs.services.livelog import read_live_log
from jobs.states import Status
from jobs.views.requests import PageRequest

MEGABYTE = 1_000_000  # bytes


def _outputs(job: Job) -> list[Output]:
    kept = detail.logs_of(job)
    live = read_live_log(job.pk) if job.status == Status.PROCESSING else {}
    return [output_of(stream, kept.get(stream), live.get(stream, "")) for stream in detail.STREAMS]


def _charts(job: Job) -> list[object]:
    limit = job.batch.core_type.memory_mb * job.cores * MEGABYTE
    return list(metrics_charts(detail.samples_of(job), cores=job.cores, memory_limit=limit))


@login_required
@require_GET
def job_detail(request: PageRequest, jid: int) -> HttpResponse:
    job = detail.job_for(account=request.user, jid=jid)
    now = timezone.now()
    context = {
        "job": job,
        "batch": job.batch,
        "look": look_of_job(job),
        "row": row_of_job(job, batch=job.batch, now=now),
        "bill": bill_of(job, now=now),
        "stages": waterfall_of(job, now=now),
        "result": detail.result_of(job),
        "outputs": _outputs(job),
        "charts": _charts(job),
        "events": detail.events_of(job),
        "relatives": detail.relatives_of(job),
        "map_bar": bar_of(job.batch.counts, total=job.batch.size, width=240) if job.batch.is_map else None,
        "hold": hold_on(job),
        "neighbours": detail.neighbours_of(job) if job.batch.is_map else (None, None),
    }
    return render(request, "jobs/detail.html", context)


@login_required
@require_GET
def log_download(request: PageRequest, jid: int, stream: str) -> HttpResponse:
    """A stream as it was kept, as a file: never shown as a page of ours."""
    job = detail.job_for(account=request.user, jid=jid)
    if stream not in detail.STREAMS:
        raise NotFound("stream_unknown", f"A job has the streams {', '.join(detail.STREAMS)}, not {stream!r}.")
    log = detail.logs_of(job).get(stream)
    text = as_file(log) if log else read_live_log(job.pk).get(stream, "")
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="job-{jid}-{stream}.txt"'
    return response
