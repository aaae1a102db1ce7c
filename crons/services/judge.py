"""Looking at what became of the runs, and from that at how each cron is doing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from common.money import charge_of
from common.sql import among, db_time, execute_many, fetch_all
from crons.models import Cron, CronRun
from crons.services.days import DayChange, add_to_days
from crons.services.states import change_states
from crons.states import State, Verdict
from jobs.models import Job
from jobs.selectors.holds import hold_on
from jobs.states import Reason, Status

AT_ONCE = 500  # runs of one transaction


def judge(now: datetime | None = None) -> int:
    """Give a verdict to each run whose job is over, and say which have not started in time; how many of both."""
    moment, total = now or timezone.now(), 0
    while True:
        late = _judge_late(moment)
        judged = _judge_finished(moment)
        total += late + judged
        if max(late, judged) < AT_ONCE:
            return total


def _pending(where: str, params: Sequence[object]) -> list[int]:
    """Runs without a verdict. Written out, because their index is partial."""
    rows = fetch_all(
        f"""
        SELECT run.id FROM crons_cronrun run LEFT JOIN jobs_job job ON job.id = run.job_id
        WHERE run.outcome = 'submitted' AND run.verdict = '' AND ({where}) ORDER BY run.id LIMIT {AT_ONCE}
        """,
        params,
    )
    return [row[0] for row in rows]


def _held(numbers: Sequence[int]) -> list[CronRun]:
    """Those of the runs that still have no verdict, with their crons, both held until the transaction ends."""
    found = CronRun.objects.filter(pk__in=numbers).order_by("cron_id")
    # In the order of the ticker: first the crons.
    crons = {cron.pk: cron for cron in _locked_crons(found.values_list("cron_id", flat=True))}
    skip = connection.features.has_select_for_update_skip_locked
    runs = list(found.select_for_update(skip_locked=skip).filter(verdict=Verdict.PENDING, cron__in=crons))
    for run in runs:
        run.cron = crons[run.cron_id]
    return runs


def _locked_crons(numbers: Iterable[int]) -> list[Cron]:
    skip = connection.features.has_select_for_update_skip_locked
    return list(Cron.objects.select_for_update(skip_locked=skip).filter(pk__in=list(numbers)).order_by("pk"))


def _judge_late(now: datetime) -> int:
    numbers = _pending("NOT run.is_late AND job.started_at IS NULL AND run.late_at < %s", [db_time(now)])
    if not numbers:
        return 0
    with transaction.atomic():
        late = _held(numbers)
        CronRun.objects.filter(pk__in=[run.pk for run in late]).update(is_late=True)
        add_to_days(DayChange(run.cron, run.scheduled_at, n_late=1) for run in late)
        change_states({run.cron: (State.LATE, _late_text(run)) for run in late if _counts(run)}, now=now)
    return len(late)


def _late_text(run: CronRun) -> str:
    hold = hold_on(run.job) if run.job else None
    why = f"it is held. {hold.sentence}" if hold else "no core was free for it."
    when = f"{run.scheduled_at:%Y-%m-%d %H:%M} UTC"
    return f"Job {run.jid} of {when} had not started {run.cron.start_grace_s} s later: {why}"


def _counts(run: CronRun) -> bool:
    """Whether the run says how its cron is doing: not when that was registered anew since."""
    return run.registration == run.cron.registration


@dataclass(frozen=True, kw_only=True)
class _End:
    """How a run ended."""

    run: CronRun
    verdict: Verdict
    text: str = ""
    is_late: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    run_ms: int | None = None
    charge: int = 0


def _judge_finished(now: datetime) -> int:
    numbers = _pending("job.id IS NULL OR job.status IN ('done', 'error', 'killed', 'stalled')", [])
    if not numbers:
        return 0
    with transaction.atomic():
        runs = _held(numbers)
        jobs = Job.objects.in_bulk([run.job_id for run in runs if run.job_id is not None])
        used = _usage_of_deleted([run for run in runs if run.job_id not in jobs])
        ends = [_end(run, jobs[run.job_id]) if run.job_id in jobs else _gone(run, used.get(run.pk)) for run in runs]
        ends.sort(key=lambda end: (end.finished_at or now, end.run.pk))
        _write(ends)
        add_to_days(map(_day_change, ends))
        # The last one of each cron is what counts.
        change_states(dict(state for end in ends if (state := _state(end)) is not None), now=now)
    return len(ends)


def _end(run: CronRun, job: Job) -> _End:
    run_ms = job.run_ms or 0
    return _End(
        run=run,
        verdict=_verdict(job),
        text=_text(job),
        is_late=bool(job.started_at and run.late_at and job.started_at > run.late_at),
        started_at=job.started_at,
        finished_at=job.finished_at,
        run_ms=job.run_ms,
        charge=charge_of(run_ms=run_ms, cores=job.cores, price_micros=job.price_micros or 0),
    )


def _verdict(job: Job) -> Verdict:
    if job.status == Status.DONE:
        return Verdict.OK
    if job.reason == Reason.MAX_RUNTIME:
        return Verdict.TOO_LONG
    # What its owner, or a budget of his, ended says nothing of the function.
    return Verdict.KILLED if job.reason in (Reason.USER, Reason.BUDGET) else Verdict.FAILED


def _text(job: Job) -> str:
    if job.reason == Reason.MAX_RUNTIME:
        return f"Job {job.jid} ran too long, and was killed after its max_runtime."
    return f"Job {job.jid} ended with {job.status} ({Reason(job.reason).label.lower() if job.reason else 'no reason'})."


def _usage_of_deleted(runs: Sequence[CronRun]) -> dict[int, tuple[int, int]]:
    """(milliseconds, charge) by run, of those whose job was deleted before it was looked at."""
    if not runs:
        return {}
    these, parameter = among(run.pk for run in runs)
    rows = fetch_all(
        f"""
        SELECT run.id, used.run_ms, used.run_ms * used.cores * used.price_micros
        FROM crons_cronrun run JOIN crons_cron cron ON cron.id = run.cron_id
        JOIN jobs_usagerecord used ON used.account_id = cron.account_id AND used.jid = run.jid
        WHERE run.id {these}
        """,
        [parameter],
    )
    return {number: (run_ms, charge) for number, run_ms, charge in rows}


def _gone(run: CronRun, used: tuple[int, int] | None) -> _End:
    run_ms, charge = used or (None, 0)
    return _End(run=run, verdict=Verdict.GONE, run_ms=run_ms, charge=charge)


def _write(ends: Sequence[_End]) -> None:
    execute_many(
        "UPDATE crons_cronrun SET verdict = %s, is_late = %s, started_at = %s, finished_at = %s, run_ms = %s, "
        "charge = %s WHERE id = %s",
        [
            (
                end.verdict.value, end.is_late or end.run.is_late, db_time(end.started_at), db_time(end.finished_at),
                end.run_ms, end.charge, end.run.pk,
            )
            for end in ends
        ],
    )  # fmt: skip


def _day_change(end: _End) -> DayChange:
    return DayChange(
        end.run.cron,
        end.run.scheduled_at,
        n_ok=int(end.verdict == Verdict.OK),
        n_failed=int(end.verdict in (Verdict.FAILED, Verdict.TOO_LONG)),
        n_killed=int(end.verdict == Verdict.KILLED),
        n_late=int(end.is_late and not end.run.is_late),
        run_ms=end.run_ms or 0,
        charge=end.charge,
    )


def _state(end: _End) -> tuple[Cron, tuple[State, str]] | None:
    """What the end of a run says of its cron; nothing when somebody killed or deleted it."""
    if not _counts(end.run):
        return None
    match end.verdict:
        case Verdict.OK:
            return end.run.cron, (State.UP, "Its last run went well.")
        case Verdict.FAILED | Verdict.TOO_LONG:
            return end.run.cron, (State.FAILING, end.text)
    return None
