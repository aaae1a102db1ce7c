"""The arithmetic of a job's price, as a person would check it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from common.money import MICROS_PER_DOLLAR, compute_hours
from jobs.display.rows import cost_of, ran_of
from jobs.models import Job


@dataclass(frozen=True)
class Bill:
    """run time x cores x price = cost; `compute_hours` are core-hours times the units of the core type."""

    ran: timedelta | None
    cores: int
    per_core_hour: Decimal | None
    cost: Decimal
    compute_hours: Decimal


def bill_of(job: Job, *, now: datetime) -> Bill:
    """What the job costs so far. Waiting is free; the price is that of its start."""
    ran = ran_of(job, now=now)
    core_ms = int(ran / timedelta(milliseconds=1)) * job.cores if ran else 0
    price = None if job.price_micros is None else Decimal(job.price_micros) / MICROS_PER_DOLLAR
    return Bill(
        ran=ran,
        cores=job.cores,
        per_core_hour=price,
        cost=cost_of(job, now=now),
        compute_hours=compute_hours(core_ms=core_ms, compute_units=job.batch.core_type.compute_units),
    )
