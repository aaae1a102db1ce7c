"""Rows of the jobs panel: one for each batch, and one for each job of a map that is opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django.urls import reverse
from django.utils import timezone

from common.money import MICROS_PER_DOLLAR, MS_PER_HOUR, charge_of, dollars
from jobs.display.bars import Bar, bar_of
from jobs.display.looks import Look, look_of_job, look_of_map
from jobs.models import Batch, Job
from jobs.states import UNFINISHED, Status


@cache
def panel_address() -> str:
    """Resolved once: fifty rows a page would each ask for it."""
    return reverse("jobs:list")


@dataclass(frozen=True)
class Meter:
    """A number that grows while a job runs: where it stands, since when, and how fast.

    The page counts on between two answers of the server.
    """

    since: datetime | None = None
    dollars_per_ms: Decimal | None = None


@dataclass(frozen=True)
class Row:
    """What a line of the panel shows. A single job has `job`; a map has `bar`."""

    batch: Batch
    first_jid: int
    last_jid: int
    look: Look
    waited: timedelta | None
    ran: timedelta | None
    cost: Decimal
    memory_peak: int | None
    meter: Meter
    is_finished: bool
    job: Job | None = None
    bar: Bar | None = None

    @property
    def address(self) -> str:
        """The page of its first job."""
        return f"{panel_address()}{self.first_jid}/"

    @property
    def core(self) -> str:
        cores = self.batch.cores
        return f"{self.batch.core_type_id} × {cores}" if cores > 1 else self.batch.core_type_id

    @property
    def jids(self) -> str:
        return str(self.first_jid) if self.first_jid == self.last_jid else f"{self.first_jid}–{self.last_jid}"


def waited_of(job: Job, *, created_at: datetime, now: datetime) -> timedelta:
    """From the submit to the start, or until now while it has not started."""
    return (job.started_at or job.finished_at or now) - created_at


def ran_of(job: Job, *, now: datetime) -> timedelta | None:
    """How long it ran, or has been running."""
    if job.run_ms is not None and job.is_finished:
        return timedelta(milliseconds=job.run_ms)
    if job.status == Status.PROCESSING and job.started_at:
        return max(now - job.started_at, timedelta())
    return None


def cost_of(job: Job, *, now: datetime) -> Decimal:
    """What it was charged, or would be if it ended now."""
    ran = ran_of(job, now=now)
    if ran is None or job.price_micros is None:
        return Decimal(0)
    run_ms = int(ran / timedelta(milliseconds=1))
    return dollars(charge_of(run_ms=run_ms, cores=job.cores, price_micros=job.price_micros))


def meter_of(job: Job) -> Meter:
    if job.status != Status.PROCESSING or job.started_at is None:
        return Meter()
    rate = Decimal((job.price_micros or 0) * job.cores) / (MS_PER_HOUR * MICROS_PER_DOLLAR)
    return Meter(job.started_at, rate)


def row_of_job(job: Job, *, batch: Batch, now: datetime) -> Row:
    return Row(
        batch=batch,
        first_jid=job.jid,
        last_jid=job.jid,
        look=look_of_job(job),
        waited=waited_of(job, created_at=batch.created_at, now=now),
        ran=ran_of(job, now=now),
        cost=cost_of(job, now=now),
        memory_peak=job.memory_peak or None,
        meter=meter_of(job),
        is_finished=job.is_finished,
        job=job,
    )


def is_over(batch: Batch) -> bool:
    """Whether nothing of it is left to run. Some of its jobs may have been deleted since."""
    return batch.received == batch.size and not any(batch.counts[status] for status in UNFINISHED)


def row_of_map(batch: Batch) -> Row:
    """A map in one line. `ran` is the sum over its runs; there is no one wait to speak of."""
    return Row(
        batch=batch,
        first_jid=batch.first_jid,
        last_jid=batch.last_jid,
        look=look_of_map(batch),
        waited=None,
        ran=timedelta(milliseconds=batch.run_ms) if batch.run_ms else None,
        cost=batch.cost,
        memory_peak=batch.memory_peak or None,
        meter=Meter(),
        is_finished=is_over(batch),
        bar=bar_of(batch.counts, total=batch.size),
    )


def rows_of(batches: Iterable[Batch], *, jobs: dict[int, Job]) -> list[Row]:
    """A row for each batch; `jobs` holds the one job of each batch that is not a map."""
    now = timezone.now()
    rows = []
    for batch in batches:
        job = jobs.get(batch.pk)
        rows.append(row_of_map(batch) if job is None else row_of_job(job, batch=batch, now=now))
    return rows
