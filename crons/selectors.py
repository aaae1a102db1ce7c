"""Every read of crons. A stranger's cron is answered as if it did not exist."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Min, QuerySet, Sum
from django.utils.timezone import now as current_time

from accounts.models import User
from common.exceptions import NotFound
from common.money import dollars
from common.text import make_visible
from crons.models import Cron, CronDay, CronEvent, CronRun
from crons.schedule import Schedule, Upcoming
from crons.states import Outcome, Verdict
from crons.terms import check_schedule
from jobs.models import Job
from jobs.services.info import read_log

PAGE = 50
STRIP = 30  # runs in the strip of marks
PREVIEWED = 10
HEAT_DAYS = 366
BIGGEST = 2**63 - 1
SEARCHED = 1000  # runs in which the last failure is looked for
MOST_EVENTS = 50


@dataclass(frozen=True, kw_only=True)
class Price:
    """Dollars of the month of a cron's zone: what its runs have cost so far, and with those that are to come."""

    so_far: Decimal
    projected: Decimal | None  # None when nothing has run yet


@dataclass(frozen=True, kw_only=True)
class CronLine:
    """What the list shows of one cron. `runs` are its last ones, oldest first."""

    cron: Cron
    schedule: Schedule
    runs: list[CronRun]
    price: Price

    @property
    def last_run(self) -> CronRun | None:
        return self.runs[-1] if self.runs else None

    @property
    def last_start(self) -> CronRun | None:
        """The last run that became a job."""
        return next((run for run in reversed(self.runs) if run.outcome == Outcome.SUBMITTED), None)


@dataclass(frozen=True, kw_only=True)
class CronPage:
    """Crons in the order of their labels; `after` is the label to go on from, None at the end."""

    lines: list[CronLine]
    after: str | None


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """Runs, newest first; `before` is the number of the run to go on from, None at the end."""

    runs: list[CronRun]
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A schedule that would be accepted, in words, and when it fires next."""

    schedule: Schedule
    words: str
    runs: list[Upcoming]


def crons_of(account: User, *, after: str | None = None, limit: int = PAGE) -> CronPage:
    """A page of the account's crons with all that a list shows."""
    crons = Cron.objects.filter(account=account).select_related("function")
    if after is not None:
        crons = crons.filter(label__gt=make_visible(after))
    found = list(crons.order_by("label")[: limit + 1])
    shown = found[:limit]
    return CronPage(lines=[_line(cron) for cron in shown], after=shown[-1].label if len(found) > limit else None)


def _line(cron: Cron) -> CronLine:
    return CronLine(cron=cron, schedule=cron.parsed, runs=last_runs(cron), price=price_of(cron))


def line_for(account: User, label: str) -> CronLine:
    """What the list shows of the account's cron of this label. Raises NotFound for anybody else's."""
    return _line(cron_for(account, label))


def labels_of(account: User) -> list[str]:
    """Labels of all the account's crons."""
    return list(Cron.objects.filter(account=account).order_by("label").values_list("label", flat=True))


def cron_for(account: User, label: str, *, locked: bool = False) -> Cron:
    """The account's cron of this label. Raises NotFound for anybody else's. `locked` is for changing it."""
    crons: QuerySet[Cron] = Cron.objects.select_related("function", "environment", "core_type", "account")
    if locked:
        crons = Cron.objects.select_for_update()
    # Others have no label like that, and a database may not take them as text.
    cron = crons.filter(account=account, label=label).first() if label.isascii() and label.isprintable() else None
    if cron is None:
        raise NotFound("cron_unknown", f"There is no cron {label[:200]!r} in this account.")
    return cron


def last_runs(cron: Cron, *, number: int = STRIP) -> list[CronRun]:
    """The last runs of a cron, oldest first."""
    return list(CronRun.objects.filter(cron=cron).order_by("-scheduled_at", "-id")[:number])[::-1]


def runs_of(cron: Cron, *, before: int | None = None, limit: int = PAGE) -> RunPage:
    """A page of a cron's history, newest first."""
    runs = CronRun.objects.filter(cron=cron).order_by("-scheduled_at", "-id")
    if before is not None:
        edge = CronRun.objects.filter(cron=cron, pk=min(before, BIGGEST)).values_list("scheduled_at", flat=True).first()
        if edge is None:
            raise NotFound("run_unknown", f"Cron {cron.label!r} has no run {before}.")
        same_time = runs.filter(scheduled_at=edge, pk__lt=before)
        found = [*same_time[: limit + 1], *runs.filter(scheduled_at__lt=edge)[: limit + 1]][: limit + 1]
    else:
        found = list(runs[: limit + 1])
    return RunPage(runs=found[:limit], before=found[limit - 1].pk if len(found) > limit else None)


def last_failure(cron: Cron) -> CronRun | None:
    """The newest of the last runs that failed and whose job is still there."""
    failed = (Verdict.FAILED, Verdict.TOO_LONG)
    runs = reversed(last_runs(cron, number=SEARCHED))
    return next((run for run in runs if run.verdict in failed and run.job_id is not None), None)


def failure_output(run: CronRun) -> str:
    """What the job of a failed run said: its traceback, and what it wrote to stderr."""
    assert run.job_id is not None
    job = Job.objects.select_related("result").prefetch_related("logs").get(pk=run.job_id)
    result = getattr(job, "result", None)
    return "\n".join(filter(None, (read_log(job, "stderr").rstrip(), result.error_text if result else "")))


def days_of(cron: Cron, *, number: int = HEAT_DAYS, now: datetime | None = None) -> list[CronDay]:
    """Days of the cron's zone on which something was due, for a heat map; oldest first."""
    today = (now or current_time()).astimezone(cron.parsed.zone).date()
    return list(CronDay.objects.filter(cron=cron, day__gt=today - timedelta(days=number)).order_by("day"))


def events_of(cron: Cron, *, number: int = MOST_EVENTS) -> list[CronEvent]:
    """The last things that happened to a cron besides its runs, newest first."""
    return list(CronEvent.objects.filter(cron=cron).order_by("-id")[:number])


def price_of(cron: Cron, *, now: datetime | None = None) -> Price:
    """What the cron costs in this month of its zone."""
    moment = now or current_time()
    schedule = cron.parsed
    first = moment.astimezone(schedule.zone).date().replace(day=1)
    days = CronDay.objects.filter(cron=cron, day__gte=first)
    sums = days.aggregate(charge=Sum("charge"), ok=Sum("n_ok"), failed=Sum("n_failed"), killed=Sum("n_killed"))
    so_far, number = sums["charge"] or 0, sum(sums[name] or 0 for name in ("ok", "failed", "killed"))
    if not number:
        return Price(so_far=dollars(so_far), projected=None)
    left = 0 if cron.is_paused else schedule.count(moment, _end_of_month(first, schedule))
    return Price(so_far=dollars(so_far), projected=dollars(so_far + so_far * left // number))


def _end_of_month(first: date, schedule: Schedule) -> datetime:
    later = (first + timedelta(days=32)).replace(day=1)
    return datetime(later.year, later.month, 1, tzinfo=schedule.zone).astimezone(UTC) - timedelta(seconds=1)


def preview(schedule: object, timezone: object = "UTC", *, number: int = PREVIEWED) -> Preview:
    """What a schedule means. Raises Refused, with the reason, for one that would not be accepted."""
    parsed = check_schedule(schedule, timezone)
    return Preview(schedule=parsed, words=parsed.words, runs=parsed.upcoming(current_time(), number=number))


def next_runs(cron: Cron, *, number: int = PREVIEWED) -> list[Upcoming]:
    """When it fires next; nothing while it is paused."""
    return [] if cron.is_paused else cron.parsed.upcoming(current_time(), number=number)


def next_due() -> datetime | None:
    """When the first of all crons is due. For the clock."""
    moment: datetime | None = Cron.objects.filter(next_at__isnull=False).aggregate(first=Min("next_at"))["first"]
    return moment


def job_runs(jobs: Iterable[Job]) -> dict[int, CronRun]:
    """The runs that these jobs are of, by job, with their crons."""
    runs = CronRun.objects.filter(job__in=[job.pk for job in jobs], outcome=Outcome.SUBMITTED)
    return {run.job_id: run for run in runs.select_related("cron") if run.job_id is not None}
