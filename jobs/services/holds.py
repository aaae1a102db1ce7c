"""Holds: jobs that are ready and must not start, because of what they would cost.

A submit sees a hold because both write the account's counter of jids. What passes it by another way, such as the
later part of a map or a job whose worker was lost, is found by the clock.
"""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common.sql import among, db_time, execute, fetch_all
from jobs.models import Hold, Job
from jobs.services import bus
from jobs.services.dispatch import WorkKind, announce_each
from jobs.services.events import count_moves, lock_order, record_event
from jobs.services.kill import Why, end_jobs
from jobs.services.start import QUEUED, Start, holds_of, start_under
from jobs.states import Reason, Status

RELEASED = "It is held no more."


def place_hold(
    *, account: User, source: str, reason: Reason, sentence: str, label: str = "", api_key: int | None = None
) -> int:
    """Hold jobs of the account, new and queued ones, until it is lifted; answers how many were queued.

    Placed again by the same source, it only says something else.
    """
    with transaction.atomic():
        _mark(account.pk, has_holds=True)
        Hold.objects.update_or_create(
            account=account,
            source=source,
            defaults={"label": label, "api_key": api_key, "reason": reason, "sentence": sentence[:300]},
        )
    return _hold_queued(account.pk)


def lift_hold(*, account: User, source: str) -> int:
    """Let the jobs go on that nothing else holds; answers how many. Nothing happens when there is no such hold."""
    with transaction.atomic():
        # First of all: who submits at this moment is either seen below, or does not see the hold.
        _mark(account.pk, has_holds=True)
        if not Hold.objects.filter(account=account, source=source).delete()[0]:
            return 0
        _mark(account.pk, has_holds=Hold.objects.filter(account=account).exists())
    return _release(account.pk)


def kill_running(*, account: User, reason: Reason, detail: str, label: str = "") -> int:
    """End the running jobs of the account, or of a label of it; answers how many."""
    running = Job.objects.filter(account=account, status=Status.PROCESSING, kill_requested_at__isnull=True)
    if label:
        running = running.filter(batch__label=label)
    numbers = list(running.values_list("pk", flat=True))
    if not numbers:
        return 0
    return end_jobs(Job.objects.filter(pk__in=numbers), account_id=account.pk, why=Why(reason, detail)).stopping


def settle_holds() -> None:
    """Hold what should be held, and release what should not, whichever way it came there. For the clock."""
    for account_id in Hold.objects.order_by().values_list("account_id", flat=True).distinct():
        _hold_queued(account_id)
    # Written out, because the index of held jobs is partial.
    sql = "SELECT DISTINCT account_id FROM jobs_job WHERE status = 'waiting' AND reason <> ''"
    for (account_id,) in fetch_all(sql, []):
        _release(account_id)


def _mark(account_id: int, *, has_holds: bool) -> None:
    """Note on the row that each submit of the account writes whether there are holds; the row is then ours."""
    execute(
        "INSERT INTO jobs_jidcounter (account_id, next_jid, has_holds) VALUES (%s, 1, %s) "
        "ON CONFLICT (account_id) DO UPDATE SET has_holds = excluded.has_holds",
        [account_id, has_holds],
    )


def _hold_queued(account_id: int) -> int:
    holds = holds_of(account_id)
    if not holds:
        return 0
    # Written out, because the index of batches with queued jobs is partial.
    sql = "SELECT id, label, api_key FROM jobs_batch WHERE account_id = %s AND n_queued > 0 ORDER BY id"
    held: dict[int, int] = {}
    for batch_id, label, api_key in fetch_all(sql, [account_id]):
        start = start_under(holds, label=label, api_key=api_key)
        if start != QUEUED and (number := _move(batch_id, Status.QUEUED, start, name="job.held")):
            held[batch_id] = number
    if held:
        bus.publish_change(account_id=account_id, batch_ids=lock_order(held))
    return sum(held.values())


def _release(account_id: int) -> int:
    holds = holds_of(account_id)
    released: dict[int, int] = {}
    kinds = set()
    others: dict[Reason, list[int]] = defaultdict(list)
    for batch_id, label, api_key, core_type, cores in _held_batches(account_id):
        start = start_under(holds, label=label, api_key=api_key)
        if start == QUEUED:
            released[batch_id] = _move(batch_id, Status.WAITING, start._replace(detail=RELEASED), name="job.queued")
            kinds.add(WorkKind(account_id, core_type, cores))
        else:
            others[start.reason].append(batch_id)
    for reason, batch_ids in others.items():
        _change_reason(batch_ids, reason)
    if released:
        bus.publish_change(account_id=account_id, batch_ids=lock_order(released))
    announce_each(kinds)
    return sum(released.values())


def _held_batches(account_id: int) -> list[tuple[int, str, int | None, str, int]]:
    """Number, label, key, core type and cores of each batch with held jobs. Their index is partial."""
    sql = """
        SELECT id, label, api_key, core_type_id, cores FROM jobs_batch WHERE id IN (
            SELECT batch_id FROM jobs_job WHERE status = 'waiting' AND reason <> '' AND account_id = %s
        ) ORDER BY id
    """
    return [(row[0], row[1], row[2], row[3], row[4]) for row in fetch_all(sql, [account_id])]


def _move(batch_id: int, before: Status, after: Start, *, name: str) -> int:
    """Move the queued jobs of a batch under a hold, or its held ones into the queue; answers how many."""
    now = timezone.now()
    which = "status = 'queued'" if before == Status.QUEUED else "status = 'waiting' AND reason <> ''"
    queued_at: datetime | None = now if after.status == Status.QUEUED else None
    with transaction.atomic():
        rows = fetch_all(
            f"UPDATE jobs_job SET status = %s, reason = %s, queued_at = %s WHERE batch_id = %s AND {which} "
            "RETURNING jid",
            [after.status.value, after.reason.value, db_time(queued_at), batch_id],
        )
        if rows:
            count_moves(batch_id, {(before, after.status): len(rows)})
            record_event(
                batch_id, sorted(jid for (jid,) in rows), name=name, status=after.status, reason=after.reason,
                detail=after.detail, at=now,
            )  # fmt: skip
    return len(rows)


def _change_reason(batch_ids: list[int], reason: Reason) -> None:
    """What is held for another reason now says so."""
    these, parameter = among(batch_ids)
    execute(
        "UPDATE jobs_job SET reason = %s "
        f"WHERE status = 'waiting' AND reason <> '' AND reason <> %s AND batch_id {these}",
        [reason.value, reason.value, parameter],
    )
