"""Reads of one job and what stands around it."""

from dataclasses import dataclass

from accounts.models import User
from common.exceptions import NotFound
from jobs.models import Batch, Dependency, Job, JobEvent, JobLog, JobMetrics, JobResult
from jobs.selectors.panel import UNSHOWN

# Relatives shown on a page; a job may have ten thousand.
MOST_RELATIVES = 20
MOST_EVENTS = 200
STREAMS = ("stdout", "stderr", "logging")


@dataclass(frozen=True, kw_only=True)
class Relatives:
    """Jobs that have to do with a job; each list may be cut after `MOST_RELATIVES`."""

    parent_jid: int | None
    children: list[Batch]
    waits_for: list[Job]
    waited_for_by: list[Batch]

    def __bool__(self) -> bool:
        return bool(self.parent_jid or self.children or self.waits_for or self.waited_for_by)


def job_for(*, account: User, jid: int) -> Job:
    """The account's job of this number, with its batch. Raises NotFound for anybody else's."""
    jobs = Job.objects.select_related("batch__function", "batch__environment", "batch__core_type")
    job = jobs.filter(account=account, jid=jid).first() if jid < 2**63 else None
    if job is None:
        raise NotFound("job_unknown", f"There is no job {jid} in this account.")
    return job


def neighbours_of(job: Job) -> tuple[int | None, int | None]:
    """The jids before and after it in its batch; deleted ones are passed over."""
    batch = job.batch
    around = Job.objects.filter(account=job.account_id, jid__range=(batch.first_jid, batch.last_jid))
    before = around.filter(jid__lt=job.jid).order_by("-jid").values_list("jid", flat=True).first()
    after = around.filter(jid__gt=job.jid).order_by("jid").values_list("jid", flat=True).first()
    return before, after


def result_of(job: Job) -> JobResult | None:
    """What the job left, without the bytes."""
    return JobResult.objects.filter(job=job).defer("inline").first()


def logs_of(job: Job) -> dict[str, JobLog]:
    """The kept output by stream."""
    return {log.stream: log for log in JobLog.objects.filter(job=job)}


def samples_of(job: Job) -> list[tuple[float, float, float]]:
    """(seconds since start, CPU in percent of a core, bytes of memory), oldest first."""
    metrics = JobMetrics.objects.filter(job=job).first()
    return [(float(s), float(cpu), float(memory)) for s, cpu, memory in metrics.samples] if metrics else []


def events_of(job: Job) -> list[JobEvent]:
    """The story of the job, oldest first; of a very long one the latest part."""
    about = JobEvent.objects.filter(batch=job.batch_id, first_jid__lte=job.jid, last_jid__gte=job.jid)
    return list(about.order_by("-id")[:MOST_EVENTS])[::-1]


def relatives_of(job: Job) -> Relatives:
    dependencies = Dependency.objects.filter(batch=job.batch_id).select_related("on_job").order_by("on_job__jid")
    dependants = Batch.objects.filter(dependencies__on_job=job).select_related("function").defer(*UNSHOWN)
    children = Batch.objects.filter(account=job.account_id, parent_jid=job.jid)
    return Relatives(
        parent_jid=job.batch.parent_jid,
        children=list(children.select_related("function").defer(*UNSHOWN).order_by("-pk")[:MOST_RELATIVES]),
        waits_for=[dependency.on_job for dependency in dependencies[:MOST_RELATIVES]],
        waited_for_by=list(dependants.order_by("-pk")[:MOST_RELATIVES]),
    )
