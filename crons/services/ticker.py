"""Starting crons when they are due. Each scheduled instant comes once, whatever happens to clocks and processes:
who starts a run holds its cron's row, looks whether the instant was dealt with, and moves `next_at` on in the same
transaction."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Refused
from common.sql import among, db_time, execute, fetch_all, insert_many
from crons.models import Cron, CronRun
from crons.plan import Plan, plan_runs
from crons.services.days import DayChange, add_to_days
from crons.services.states import change_states
from crons.states import CatchUp, Outcome, Overlap, State, Trigger, Verdict
from jobs.services.kill import kill_jobs
from jobs.services.submit_many import Prepared, Started, announce, submit_many

logger = logging.getLogger(__name__)

AT_ONCE = 1000  # crons of one transaction
# The rest of a cron, which the database copies by itself, is not read.
NEEDED = (
    *("account_id", "label", "schedule", "timezone", "overlap", "catch_up", "start_grace_s", "alerts", "next_at"),
    *("registration", "state", "down_since", "arguments_id", "core_type_id", "cores", "priority"),
)
Start = tuple[Cron, datetime, Trigger]


def tick(now: datetime | None = None) -> int:
    """Deal with every cron that is due; answers how many jobs were submitted. For the clock."""
    moment, total = now or timezone.now(), 0
    while True:
        with transaction.atomic():
            crons = _due(moment)
            chunk = _start_chunk(crons, moment)
        _announce(chunk)
        total += len(chunk.started)
        if len(crons) < AT_ONCE:
            return total


class _Chunk(NamedTuple):
    prepared: list[Prepared]
    started: list[Started]


def _due(now: datetime) -> list[Cron]:
    """The next crons that are due, held until the transaction ends; another clock passes those over."""
    skip = connection.features.has_select_for_update_skip_locked
    locked = Cron.objects.select_for_update(skip_locked=skip).only(*NEEDED)
    return list(locked.filter(next_at__lte=now).order_by("next_at", "id")[:AT_ONCE])


def _start_chunk(crons: Sequence[Cron], now: datetime) -> _Chunk:
    if not crons:
        return _Chunk([], [])
    busy = _unfinished(crons)
    plans = {cron: plan for cron in crons if (plan := _plan(cron, now, is_busy=cron.pk in busy)) is not None}
    dealt_with = _known_instants(plans)
    starts = [
        (cron, at, trigger)
        for cron, plan in plans.items()
        for at, trigger in plan.runs
        if (cron.pk, at) not in dealt_with
    ]
    _make_place((cron for cron, _, _ in starts), busy)
    prepared = [
        Prepared(account_id=cron.account_id, label=cron.job_label, arguments_id=cron.arguments_id, runs=cron)
        for cron, _, _ in starts
    ]
    started = submit_many(prepared, at=now) if prepared else []
    _record_runs(starts, started, now)
    _record_passed_over(plans, dealt_with, now)
    _move_on(plans)
    return _Chunk(prepared, started)


def _plan(cron: Cron, now: datetime, *, is_busy: bool) -> Plan | None:
    """None when its schedule cannot be read any more, and then it is paused: it must not hold up all others."""
    assert cron.next_at is not None
    try:
        return plan_runs(
            cron.parsed,
            due=cron.next_at,
            now=now,
            catch_up=CatchUp(cron.catch_up),
            overlap=Overlap(cron.overlap),
            grace=cron.grace,
            is_busy=is_busy,
        )
    except Refused as refusal:
        logger.error("cron %d is paused: %s", cron.pk, refusal)
        Cron.objects.filter(pk=cron.pk).update(next_at=None, paused_at=now)
        change_states({cron: (State.MISSED, f"Paused, because its schedule cannot be read: {refusal}")}, now=now)
        return None


def _unfinished(crons: Iterable[Cron]) -> dict[int, list[int]]:
    """The jids of unfinished runs by cron, for those that do not let runs overlap."""
    numbers = [cron.pk for cron in crons if cron.overlap != Overlap.ALLOW]
    if not numbers:
        return {}
    # Written out, because the index of pending runs is partial.
    these, parameter = among(numbers)
    rows = fetch_all(
        f"""
        SELECT run.cron_id, job.jid FROM crons_cronrun run JOIN jobs_job job ON job.id = run.job_id
        WHERE run.outcome = 'submitted' AND run.verdict = '' AND run.cron_id {these}
              AND job.status IN ('waiting', 'queued', 'processing')
        """,
        [parameter],
    )
    found: dict[int, list[int]] = defaultdict(list)
    for cron_id, jid in rows:
        found[cron_id].append(jid)
    return found


def _make_place(crons: Iterable[Cron], busy: dict[int, list[int]]) -> None:
    """Kill the unfinished runs of those that are replaced by their next one."""
    by_account: dict[int, list[int]] = defaultdict(list)
    for cron in crons:
        if cron.overlap == Overlap.REPLACE and cron.pk in busy:
            by_account[cron.account_id] += busy[cron.pk]
    for account in User.objects.filter(pk__in=by_account).order_by("pk"):
        kill_jobs(account=account, jids=sorted(by_account[account.pk]), by=account)


def _known_instants(plans: dict[Cron, Plan]) -> set[tuple[int, datetime]]:
    """Which instants were dealt with before the clock was set back, by cron."""
    firsts = [plan.missed_from or at for plan in plans.values() for at, _ in (*plan.skipped[:1], *plan.runs[:1])]
    if not firsts:
        return set()
    known = CronRun.objects.filter(cron__in=[cron.pk for cron in plans], scheduled_at__gte=min(firsts))
    return set(known.exclude(trigger=Trigger.MANUAL).values_list("cron_id", "scheduled_at"))


def _record_runs(starts: Sequence[Start], started: Sequence[Started], now: datetime) -> None:
    rows = [
        {
            **_row(cron, at, trigger, Outcome.SUBMITTED),
            "job_id": new.job_id,
            "jid": new.jid,
            "submitted_at": now,
            # What was caught up with is late already; it gets its time from now.
            "late_at": max(at, now if trigger == Trigger.CATCH_UP else at) + cron.grace,
        }
        for (cron, at, trigger), new in zip(starts, started, strict=True)
    ]
    insert_many(CronRun, rows)


def _row(cron: Cron, at: datetime, trigger: Trigger, outcome: Outcome) -> dict[str, Any]:
    return {
        "cron_id": cron.pk,
        "scheduled_at": at,
        "trigger": trigger.value,
        "outcome": outcome.value,
        "verdict": Verdict.PENDING.value,
        "registration": cron.registration,
    }


def _record_passed_over(plans: dict[Cron, Plan], dealt_with: set[tuple[int, datetime]], now: datetime) -> None:
    """Write down what was skipped and what was missed, and tell of the latter."""
    rows: list[dict[str, Any]] = []
    days: list[DayChange] = []
    missed: dict[Cron, tuple[State, str]] = {}
    for cron, plan in plans.items():
        skipped = [start for start in plan.skipped if (cron.pk, start[0]) not in dealt_with]
        rows += [_row(cron, at, trigger, Outcome.SKIPPED) for at, trigger in skipped]
        days += [DayChange(cron, at, n_skipped=1) for at, _ in skipped]
        first = plan.missed_from
        if first is not None and (cron.pk, first) not in dealt_with:
            rows.append({**_row(cron, first, Trigger.SCHEDULE, Outcome.MISSED), "instants": plan.missed})
            days.append(DayChange(cron, first, n_missed=plan.missed))
            missed[cron] = (State.MISSED, _missed_text(plan))
    insert_many(CronRun, rows)
    add_to_days(days)
    change_states(missed, now=now)


def _missed_text(plan: Plan) -> str:
    assert plan.missed_from is not None
    what = "1 run was" if plan.missed == 1 else f"{plan.missed:,} runs were"
    ran = f"; {len(plan.runs)} started when the clock was back" if plan.runs else ""
    return f"{what} missed from {plan.missed_from:%Y-%m-%d %H:%M} UTC on, while no clock ran{ran}."


def _move_on(plans: dict[Cron, Plan]) -> None:
    """Set when each is due next; many crons share the minute."""
    by_next: dict[datetime | None, list[int]] = defaultdict(list)
    for cron, plan in plans.items():
        by_next[plan.next_at].append(cron.pk)
    for moment, numbers in by_next.items():
        these, parameter = among(numbers)
        execute(f"UPDATE crons_cron SET next_at = %s WHERE id {these}", [db_time(moment), parameter])


def _announce(chunk: _Chunk) -> None:
    try:
        announce(chunk.prepared, chunk.started)
    except Refused as refusal:
        # The jobs are in the database; a core type without a queue is for the operator to see to.
        logger.error("crons were submitted, and no worker was told: %s", refusal)
