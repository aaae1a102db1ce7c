"""Runs and days of crons, written straight into the tables, for tests of what pages show of them."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crons.models import Cron, CronDay, CronRun
from crons.states import Outcome, Verdict
from jobs.models import Job


def make_run(
    cron: Cron,
    at: datetime | None = None,
    *,
    verdict: str = Verdict.OK,
    outcome: str = Outcome.SUBMITTED,
    run_ms: int | None = 1200,
    job: Job | None = None,
    **fields: Any,
) -> CronRun:
    """A run that was due at a time, by default now; it took 1.2 s."""
    at = at or timezone.now()
    ran = outcome == Outcome.SUBMITTED and verdict != Verdict.PENDING
    values = {
        "jid": job.jid if job else None,
        "started_at": at + timedelta(seconds=0.3) if ran else None,
        "run_ms": run_ms if ran else None,
        "charge": (run_ms or 0) * 50_000 if ran else 0,
    }
    return CronRun.objects.create(
        cron=cron, scheduled_at=at, outcome=outcome, verdict=verdict if ran else "", job=job, **(values | fields)
    )


def make_day(cron: Cron, days_ago: int = 0, **numbers: int) -> CronDay:
    """What the runs of a day came to: n_ok, n_failed and so on."""
    return CronDay.objects.create(cron=cron, day=timezone.now().date() - timedelta(days=days_ago), **numbers)
