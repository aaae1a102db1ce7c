"""Forgetting finished jobs: their results, output and, with the last of a batch, its function and arguments.

What was used stays in `UsageRecord`: deleting a job does not change a bill.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.models import User
from common.exceptions import Conflict
from common.ranges import ranges_of
from jobs.models import ArgumentPack, Batch, BatchTrace, Job, JobResult
from jobs.services import bus
from jobs.services.events import lock_order, record_event
from jobs.services.kill import jobs_in_ranges
from jobs.states import UNFINISHED, Status
from storage.services import delete_key, drop_blobs_unreferenced, remove_stale_objects


def delete_jobs(*, account: User, jids: Sequence[int]) -> int:
    """Delete finished jobs; answers how many. Raises NotFound, or Conflict when one is not finished."""
    if not jids:
        return 0
    jobs = jobs_in_ranges(account, ranges_of(jids))
    with transaction.atomic():
        rows = list(jobs.select_for_update().values_list("pk", "jid", "batch_id", "status"))
        for _, jid, _, status in rows:
            if status in UNFINISHED:
                raise Conflict("job_unfinished", f"Job {jid} is {status}: kill it before you delete it.", jid=jid)
        keys = _large_result_keys([pk for pk, *_ in rows])
        batch_ids = lock_order(row[2] for row in rows)
        blob_ids = _blobs_of(batch_ids)
        for batch_id in batch_ids:
            _delete_from_batch(batch_id, [row for row in rows if row[2] == batch_id])
    for key in keys:
        delete_key(key)
    drop_blobs_unreferenced(blob_ids)
    bus.publish_change(account_id=account.pk, batch_ids=batch_ids)
    return len(rows)


def _large_result_keys(job_ids: list[int]) -> list[str]:
    return list(JobResult.objects.filter(job_id__in=job_ids).exclude(key="").values_list("key", flat=True))


def remove_orphaned_results() -> int:
    """Delete stored results that no job knows: of reports that came too late, or whose transaction failed."""
    return remove_stale_objects(prefix="results/", known=_known_results)


def _known_results(keys: Collection[str]) -> set[str]:
    """Looked up by account and jid, which the key is made of and which have an index; the key has none."""
    parts = [key.split("/") for key in keys]
    accounts = {int(part[1]) for part in parts}
    jids = {int(part[2].partition("-")[0]) for part in parts}
    results = JobResult.objects.filter(job__account_id__in=accounts, job__jid__in=jids).exclude(key="")
    return set(results.values_list("key", flat=True))


def _leave_trace(batch: Batch) -> None:
    """Its last runs may not be on a bill yet, which says what they were."""
    BatchTrace.objects.create(batch_id=batch.pk, function=str(batch.function), label=batch.label, api_key=batch.api_key)


def forget_traces(*, deleted_before: datetime) -> None:
    """Remove the traces of batches that were deleted before this time."""
    BatchTrace.objects.filter(deleted_at__lt=deleted_before).delete()


def _blobs_of(batch_ids: Sequence[int]) -> set[int]:
    """Functions and arguments of batches; with their last reference they go too."""
    functions = Batch.objects.filter(pk__in=batch_ids).values_list("function_blob_id", flat=True)
    arguments = ArgumentPack.objects.filter(batch_id__in=batch_ids).values_list("blob_id", flat=True)
    return {*functions, *arguments}


def _delete_from_batch(batch_id: int, rows: list[tuple[int, int, int, str]]) -> None:
    Job.objects.filter(pk__in=[pk for pk, *_ in rows]).delete()
    if not Job.objects.filter(batch_id=batch_id).exists():
        _leave_trace(Batch.objects.select_related("function").get(pk=batch_id))
        Batch.objects.filter(pk=batch_id).delete()
        return
    fewer = Counter(Status(row[3]) for row in rows)
    Batch.objects.filter(pk=batch_id).update(**{f"n_{status}": F(f"n_{status}") - n for status, n in fewer.items()})
    record_event(batch_id, (row[1] for row in rows), name="job.deleted")
