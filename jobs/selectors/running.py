"""What runs at this moment, and what it has cost so far: usage is written only when a run ends."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from jobs.models import Job


class Running(NamedTuple):
    """A job that runs: whose it is, and what its run would be charged if it ended now."""

    account_id: int
    label: str
    api_key: int | None
    per_ms: int
    ran_ms: int

    @property
    def charge(self) -> int:
        return self.per_ms * self.ran_ms


def running_now(account_ids: Iterable[int] | None = None) -> list[Running]:
    """One job of each worker, of these accounts or of all: what it has claimed beside that does not run yet."""
    # Written out, because the index of those that run is partial.
    runs = RawSQL('"jobs_job"."status" = \'processing\'', [], output_field=BooleanField())
    jobs = Job.objects.filter(runs) if account_ids is None else Job.objects.filter(runs, account__in=list(account_ids))
    columns = ("account_id", "batch__label", "batch__api_key", "cores", "price_micros", "started_at")
    now = timezone.now()
    by_worker = {
        worker: Running(account_id, label, api_key, cores * (price or 0), _ran_ms(started_at, now))
        for worker, account_id, label, api_key, cores, price, started_at in jobs.order_by("-jid").values_list(
            "worker", *columns
        )
    }
    return list(by_worker.values())


def _ran_ms(started_at: datetime | None, now: datetime) -> int:
    return max(0, (now - started_at) // timedelta(milliseconds=1)) if started_at else 0
