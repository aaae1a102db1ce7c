"""Taking in many calls at once, whose functions and arguments are already stored: some statements for all of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from common.sql import Copied, insert_many
from jobs.models import ArgumentPack, Batch, Job, JobEvent, Runnable
from jobs.services import bus
from jobs.services.dispatch import WorkKind, announce_work
from jobs.services.start import QUEUED, Start, holds_of, start_under
from jobs.services.submit import RUN_COLUMNS, reserve_jids
from jobs.states import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A call ready to be submitted: `runs` is the row of what it runs, `arguments_id` is a pack of one item."""

    account_id: int
    label: str
    arguments_id: int
    runs: Runnable

    @property
    def kind(self) -> WorkKind:
        return WorkKind(self.account_id, self.runs.core_type_id, self.runs.cores)


class Started(NamedTuple):
    """The rows that a prepared call became."""

    batch_id: int
    job_id: int
    jid: int


def submit_many(prepared: Sequence[Prepared], *, at: datetime) -> list[Started]:
    """Make a job of each call, in their order, queued unless it is held.

    Call it in a transaction, and `announce` when that is over. What they run is copied by the database from the rows
    of `runs`, which are all of one model.
    """
    jids, held_accounts = _reserve(prepared)
    starts = _starts(prepared, held_accounts)
    batches = [
        {
            "account_id": call.account_id,
            "size": 1,
            "received": 1,
            "n_queued": 1,
            "first_jid": jid,
            "label": call.label,
            "created_at": at,
            "source_id": call.runs.pk,
        }
        for call, jid in zip(prepared, jids, strict=True)
    ]
    _say(batches, starts, lambda start: {"n_queued": int(start == QUEUED), "n_waiting": int(start != QUEUED)})
    copied = Copied(type(prepared[0].runs), RUN_COLUMNS)
    rows = insert_many(Batch, batches, copied=copied, returning=("account_id", "first_jid", "id"))
    numbers = {(account_id, jid): batch_id for account_id, jid, batch_id in rows}
    batch_ids = [numbers[call.account_id, jid] for call, jid in zip(prepared, jids, strict=True)]
    insert_many(
        ArgumentPack,
        [
            {"batch_id": batch_id, "first_index": 0, "count": 1, "blob_id": call.arguments_id}
            for call, batch_id in zip(prepared, batch_ids, strict=True)
        ],
    )
    jobs = _insert_jobs(prepared, jids, batch_ids, starts, at)
    _tell(jids, batch_ids, starts, at)
    return [Started(batch_id, jobs[batch_id], jid) for batch_id, jid in zip(batch_ids, jids, strict=True)]


def _starts(prepared: Sequence[Prepared], held_accounts: set[int]) -> list[Start]:
    """Where each call begins; none at all where there are no holds, and all are queued."""
    if not held_accounts:
        return []
    holds = {account_id: holds_of(account_id) for account_id in held_accounts}
    return [
        start_under(holds.get(call.account_id, ()), label=call.label, api_key=call.runs.api_key) for call in prepared
    ]


def _say(rows: Sequence[dict[str, Any]], starts: Sequence[Start], columns: Callable[[Start], dict[str, Any]]) -> None:
    """Say in each row how its call begins, where that is not the same for all."""
    for row, start in zip(rows, starts, strict=False):
        row.update(columns(start))


def _reserve(prepared: Sequence[Prepared]) -> tuple[list[int], set[int]]:
    """A jid for each call, and the accounts that there are holds on."""
    by_account: dict[int, list[int]] = defaultdict(list)
    for place, call in enumerate(prepared):
        by_account[call.account_id].append(place)
    jids = [0] * len(prepared)
    held = set()
    # In one order, so that two of these never wait for each other's counters.
    for account_id in sorted(by_account):
        places = by_account[account_id]
        first, has_holds = reserve_jids(account_id, len(places))
        if has_holds:
            held.add(account_id)
        for number, place in enumerate(places):
            jids[place] = first + number
    return jids, held


def _insert_jobs(
    prepared: Sequence[Prepared],
    jids: Sequence[int],
    batch_ids: Sequence[int],
    starts: Sequence[Start],
    at: datetime,
) -> dict[int, int]:
    """The jobs by batch."""
    rows = [
        {
            "account_id": call.account_id,
            "jid": jid,
            "batch_id": batch_id,
            "index": 0,
            "status": Status.QUEUED.value,
            "core_type_id": call.runs.core_type_id,
            "cores": call.runs.cores,
            "priority": call.runs.priority,
            "queued_at": at,
        }
        for call, jid, batch_id in zip(prepared, jids, batch_ids, strict=True)
    ]
    _say(
        rows,
        starts,
        lambda start: {
            "status": start.status.value,
            "reason": start.reason.value,
            "queued_at": at if start == QUEUED else None,
        },
    )
    return dict(insert_many(Job, rows, returning=("batch_id", "id")))


def _tell(jids: Sequence[int], batch_ids: Sequence[int], starts: Sequence[Start], at: datetime) -> None:
    """Begin the story of each."""
    event = {"name": "job.submitted", "status": Status.QUEUED.value, "at": at}
    rows = [
        {"batch_id": batch_id, "first_jid": jid, "last_jid": jid, **event}
        for batch_id, jid in zip(batch_ids, jids, strict=True)
    ]
    _say(
        rows,
        starts,
        lambda start: {"status": start.status.value, "reason": start.reason.value, "detail": start.detail},
    )
    insert_many(JobEvent, rows)


def announce(prepared: Sequence[Prepared], started: Sequence[Started]) -> None:
    """Wake a worker for each kind of work among these calls, and tell those who watch the accounts."""
    batches: dict[int, list[int]] = defaultdict(list)
    for call, new in zip(prepared, started, strict=True):
        batches[call.account_id].append(new.batch_id)
    for kind in sorted({call.kind for call in prepared}):
        announce_work(kind)
    for account_id, batch_ids in batches.items():
        bus.publish_change(account_id=account_id, batch_ids=batch_ids)
