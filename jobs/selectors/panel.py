"""Reads of the jobs panel: keyset pages of batches, and the jobs under a map."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from common.exceptions import NotFound
from jobs.models import Batch, CoreType, Job
from jobs.selectors.filters import BatchFilters, Search, search_for

PAGE = 50
# How many batches of a status are looked at before any other filter is asked, at first and at most.
# A status with fewer is answered by that alone.
RARE = (1000, 5000)
# Columns of a batch that no list shows and that may be long.
UNSHOWN = ("env_vars", "client", "idempotency_key")


@dataclass(frozen=True, kw_only=True)
class BatchPage:
    """Batches, newest first; `older` and `newer` are the cursors of the pages beside this one."""

    batches: list[Batch]
    older: int | None = None
    newer: int | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Jobs of one map in the order of their jids; `after` is the cursor of the next page."""

    jobs: list[Job]
    after: int | None = None


def _newest(search: Search, *, before: int | None, after: int | None, limit: int) -> list[int]:
    """Row numbers of the first `limit` matches: below `before` newest first, or above `after` oldest first."""
    place = Q() if before is None else Q(pk__lt=before)
    if after is not None:
        place &= Q(pk__gt=after)
    base, order = search.base.filter(place), "-pk" if after is None else "pk"
    if search.with_status is not None and search.alternatives:
        # The planner would take the function's index, say, and read all of it for the few that are queued.
        numbered = search.with_status.filter(place).order_by(order).values_list("pk", flat=True)
        for rare in RARE:
            head = list(numbered[:rare])
            matches = base.filter(search.any_alternative, pk__in=head).order_by(order)
            found = list(matches.values_list("pk", flat=True)[:limit])
            if len(found) == limit or len(head) < rare:
                return found
    return _merged([base.filter(**each).order_by(order) for each in search.alternatives], limit=limit, order=order)


def _merged(queries: list[QuerySet[Batch]], *, limit: int, order: str) -> list[int]:
    """The first `limit` row numbers of several queries in the same order."""
    found = {number for query in queries for number in query.values_list("pk", flat=True)[:limit]}
    return sorted(found, reverse=order == "-pk")[:limit]


def batch_page(
    *, account: User, filters: BatchFilters, before: int | None = None, after: int | None = None, limit: int = PAGE
) -> BatchPage:
    """One page of the account's batches. Reads a few rows more than it shows, and never counts."""
    search = search_for(account=account, filters=filters)
    # One more than asked for tells whether there is a next page.
    found = _newest(search, before=before, after=after, limit=limit + 1)
    shown = sorted(found[:limit], reverse=True)
    more = len(found) > limit
    older = shown[-1] if shown and (more or after is not None) else None
    newer = shown[0] if shown and (before is not None or (after is not None and more)) else None
    return BatchPage(batches=_in_order(shown), older=older, newer=newer, note=search.note)


def _in_order(numbers: list[int]) -> list[Batch]:
    by_number = _for_rows(Batch.objects.all()).in_bulk(numbers)
    return [by_number[number] for number in numbers if number in by_number]


def _for_rows(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    return batches.select_related("function").defer(*UNSHOWN)


def batches_by_id(*, account: User, ids: Iterable[int]) -> list[Batch]:
    """Those of the batches that are the account's own, newest first."""
    return list(_for_rows(Batch.objects.filter(account=account, pk__in=list(ids))).order_by("-pk"))


def single_jobs(*, account: User, batches: Iterable[Batch]) -> dict[int, Job]:
    """The job of each batch that is not a map, by batch, in one query."""
    jids = [batch.first_jid for batch in batches if not batch.is_map]
    return {job.batch_id: job for job in Job.objects.filter(account=account, jid__in=jids)}


def batch_for(*, account: User, batch_id: int) -> Batch:
    """One batch of the account. Raises NotFound for any other."""
    batch = _for_rows(Batch.objects.filter(account=account, pk=batch_id)).first()
    if batch is None:
        raise NotFound("batch_unknown", f"There is no batch {batch_id}.")
    return batch


def job_page(*, batch: Batch, after: int = 0, limit: int = PAGE) -> JobPage:
    """Jobs of a map whose jids come after `after`."""
    jobs = list(
        Job.objects.filter(
            account=batch.account_id, jid__gt=after, jid__lte=batch.last_jid, jid__gte=batch.first_jid
        ).order_by("jid")[: limit + 1]
    )
    more = len(jobs) > limit
    return JobPage(jobs=jobs[:limit], after=jobs[limit - 1].jid if more else None)


def core_types() -> list[str]:
    """Codes of the core types, in the order of pages."""
    return list(CoreType.objects.values_list("code", flat=True))
