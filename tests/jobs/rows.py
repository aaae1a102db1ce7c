"""Batches and jobs written straight into the tables, for tests of what pages show of them."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from environments.models import Environment
from jobs.models import Batch, CoreType, Function, JidCounter, Job
from jobs.states import Status
from storage.models import Blob

STARTED = {Status.PROCESSING, Status.DONE, Status.ERROR}


def make_batch(
    account: User,
    *,
    statuses: tuple[Status, ...] = (Status.DONE,),
    function: str = "encode",
    module: str = "videos",
    created_at: datetime | None = None,
    reason: str = "",
    job: dict[str, Any] | None = None,
    **fields: Any,
) -> Batch:
    """A batch with one job for each status; more than one makes a map. `job` sets fields of its jobs."""
    counter, _ = JidCounter.objects.get_or_create(account=account)
    first_jid, counter.next_jid = counter.next_jid, counter.next_jid + len(statuses)
    counter.save()
    created = created_at or timezone.now()
    core_type = CoreType.objects.get(pk=fields.pop("core_type", "c1"))
    cores = fields.setdefault("cores", 1)
    batch = Batch.objects.create(
        account=account,
        is_map=len(statuses) > 1,
        size=len(statuses),
        received=len(statuses),
        first_jid=first_jid,
        function=Function.objects.get_or_create(account=account, module=module, name=function)[0],
        function_blob=Blob.objects.get_or_create(account=account, digest="0" * 64, defaults={"size": 1})[0],
        core_type=core_type,
        environment=Environment.objects.get(name="base"),
        created_at=created,
        **{f"n_{status}": statuses.count(status) for status in Status},
        **fields,
    )
    for index, status in enumerate(statuses):
        _make_job(batch, index=index, status=status, reason=reason, cores=cores, extra=job or {})
    return batch


def _make_job(batch: Batch, *, index: int, status: Status, reason: str, cores: int, extra: dict[str, Any]) -> Job:
    created = batch.created_at
    started = created + timedelta(seconds=1) if status in STARTED else None
    is_over = status in (Status.DONE, Status.ERROR)
    values = {
        "queued_at": created,
        "started_at": started,
        "finished_at": started + timedelta(seconds=36) if started and is_over else None,
        "run_ms": 36_000 if is_over else None,
        "price_micros": 50_000 if started else None,
        "attempt": 1 if started else 0,
    }
    return Job.objects.create(
        account=batch.account,
        jid=batch.first_jid + index,
        batch=batch,
        index=index,
        status=status,
        reason=reason,
        core_type=batch.core_type,
        cores=cores,
        **(values | extra),
    )


def job_of(batch: Batch) -> Job:
    """The first job of a batch."""
    return Job.objects.get(batch=batch, jid=batch.first_jid)
