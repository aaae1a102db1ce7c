"""The limit that `_max_cost` sets to a call or a map: how far it is from it, and its end when it is there."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, F, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from common.money import charge_of, dollars, format_dollars
from jobs.models import Batch, Job
from jobs.services.kill import KillResult, Why, end_jobs
from jobs.states import Reason, Status


class Allowance(NamedTuple):
    """What a batch may still cost after what its running jobs have used, and what those cost in a millisecond."""

    left: int
    per_ms: int


def allowance_of(batch_id: int) -> Allowance | None:
    """Where a batch stands now; None when it has no limit, or is gone."""
    batch = Batch.objects.filter(pk=batch_id).only("max_charge", "charge").first()
    if batch is None or batch.max_charge is None:
        return None
    now, left, per_ms = timezone.now(), batch.max_charge - batch.charge, 0
    for cores, price, started_at in _running(batch_id).values():
        ran_ms = max(0, (now - started_at) // timedelta(milliseconds=1))
        left -= charge_of(run_ms=ran_ms, cores=cores, price_micros=price)
        per_ms += cores * price
    return Allowance(left, per_ms)


def _running(batch_id: int) -> dict[str, tuple[int, int, datetime]]:
    """Cores, price and start by worker: what a worker has claimed beside its first job does not run yet."""
    # Written out and with a plus: by the index of those that run, for a map has ten thousand jobs.
    runs = RawSQL(
        '"jobs_job"."status" = \'processing\' AND +"jobs_job"."batch_id" = %s',
        [batch_id],
        output_field=BooleanField(),
    )
    rows = Job.objects.filter(runs).order_by("-jid").values_list("worker", "cores", "price_micros", "started_at")
    return {worker: (cores, price or 0, started_at) for worker, cores, price, started_at in rows if started_at}


def end_batch(batch_id: int) -> KillResult:
    """End what is left of a batch that has cost what it may; what is done stays."""
    batch = Batch.objects.get(pk=batch_id)
    detail = f"It has cost what it may: {format_dollars(dollars(batch.max_charge or 0))}."
    jobs = Job.objects.filter(~Q(status=Status.PROCESSING) | Q(kill_requested_at__isnull=True), batch=batch)
    return end_jobs(jobs, account_id=batch.account_id, why=Why(Reason.COST_LIMIT, detail))


def end_if_spent(batch_id: int) -> None:
    """End what is left of a batch when its finished runs have cost what it may."""
    spent = Batch.objects.filter(pk=batch_id, max_charge__lte=F("charge"), finished_at__isnull=True)
    if spent.exists():
        end_batch(batch_id)
