"""Ending jobs: at their owner's wish, or because they have cost what they may."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from common.exceptions import NotFound
from common.ranges import Range, count, members, ranges_of
from jobs.models import Job
from jobs.services import bus
from jobs.services.dependencies import settle_dependants
from jobs.services.events import count_moves, lock_order, record_event
from jobs.states import UNFINISHED, Reason, Status

logger = logging.getLogger(__name__)

MOST_RANGES = 500  # in one condition; SQLite's depth of an expression is 1,000


@dataclass(frozen=True, kw_only=True)
class KillResult:
    killed: int  # had not started, and never will
    stopping: int  # are running; their workers end them within seconds


def jobs_in_ranges(account: User, ranges: Sequence[Range]) -> QuerySet[Job]:
    """The account's jobs with these jids. Raises NotFound, naming the first jid that is not among them."""
    wanted = Q()
    if len(ranges) <= MOST_RANGES:
        for first, last in ranges:
            wanted |= Q(jid__range=(first, last))
    else:
        wanted = Q(jid__in=list(members(ranges)))
    jobs = Job.objects.filter(wanted, account=account)
    if not ranges or jobs.count() != count(ranges):
        there = set(jobs.values_list("jid", flat=True)) if ranges else set()
        for first, last in ranges:
            for jid in range(first, last + 1):
                if jid not in there:
                    raise NotFound("job_unknown", f"There is no job {jid}.", jid=jid)
    return jobs


def kill_jobs(*, account: User, jids: Sequence[int] | None, by: User) -> KillResult:
    """Kill the account's unfinished jobs, or those with the given jids; finished ones stay as they are.

    Raises NotFound for a jid that the account does not have.
    """
    ranges = None if jids is None else ranges_of(jids)
    if ranges == []:
        return KillResult(killed=0, stopping=0)
    jobs = Job.objects.filter(account=account) if ranges is None else jobs_in_ranges(account, ranges)
    return end_jobs(jobs, account_id=account.pk, why=Why(Reason.USER, f"by {by}"))


class Why(NamedTuple):
    """Why jobs are ended: for programs, and in words for their story."""

    reason: Reason
    detail: str


def end_jobs(jobs: QuerySet[Job], *, account_id: int, why: Why) -> KillResult:
    """End those of these jobs of an account that are not finished."""
    with transaction.atomic():
        found = list(
            jobs.filter(status__in=UNFINISHED)
            .order_by("pk")
            .select_for_update()
            .values_list("pk", "jid", "batch_id", "status")
        )
        killed = [row for row in found if row[3] != Status.PROCESSING]
        running = [row for row in found if row[3] == Status.PROCESSING]
        _end_unstarted(killed, why)
        _ask_running(running, why)
        settled = settle_dependants([pk for pk, *_ in killed])
    settled.tell()
    batch_ids = lock_order(batch_id for _, _, batch_id, _ in found)
    if batch_ids:
        finished = ranges_of(jid for _, jid, _, _ in killed)
        bus.publish_change(account_id=account_id, batch_ids=batch_ids, jids=finished)
    return KillResult(killed=len(killed), stopping=len(running))


Row = tuple[int, int, int, str]


def _by_batch(rows: Sequence[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[2]].append(row)
    return {batch_id: groups[batch_id] for batch_id in lock_order(groups)}


def _end_unstarted(rows: Sequence[Row], why: Why) -> None:
    now = timezone.now()
    for batch_id, group in _by_batch(rows).items():
        for before in (Status.WAITING, Status.QUEUED):
            part = [row for row in group if row[3] == before]
            if not part:
                continue
            Job.objects.filter(batch_id=batch_id, status=before, pk__in=[row[0] for row in part]).update(
                status=Status.KILLED, reason=why.reason, finished_at=now
            )
            count_moves(batch_id, {(before, Status.KILLED): len(part)})
        jids = [row[1] for row in group]
        record_event(
            batch_id, jids, name="job.killed", status=Status.KILLED, reason=why.reason, detail=why.detail, at=now
        )


def _ask_running(rows: Sequence[Row], why: Why) -> None:
    """Leave word for the workers, who look every second; they end the job and report what it used."""
    now = timezone.now()
    for batch_id, group in _by_batch(rows).items():
        Job.objects.filter(pk__in=[row[0] for row in group], kill_requested_at__isnull=True).update(
            kill_requested_at=now, reason=why.reason
        )
        record_event(
            batch_id, (row[1] for row in group), name="job.kill_requested", reason=why.reason, detail=why.detail, at=now
        )
