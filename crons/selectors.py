"""Every read of crons. A stranger's cron is answered as if it did not exist."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Min, Q, QuerySet, prefetch_related_objects
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
from storage.models import Blob

PAGE = 50
NEWEST = "ORDER BY scheduled_at DESC, id DESC"
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


def crons_of(account: User, *, text: str = "", after: str | None = None, limit: int = PAGE) -> CronPage:
    """A page of the account's crons with all that a list shows; of those only that have `text` in label or function."""
    crons = Cron.objects.filter(account=account).select_related("function").prefetch_related("module_set__archives")
    if text:
        wanted = make_visible(text)
        crons = crons.filter(Q(label__icontains=wanted) | Q(function__name__icontains=wanted))
    if after is not None:
        crons = crons.filter(label__gt=make_visible(after))
    found = list(crons.order_by("label")[: limit + 1])
    shown = found[:limit]
    return CronPage(lines=_lines_of(shown), after=shown[-1].label if len(found) > limit else None)


def line_for(account: User, label: str) -> CronLine:
    """What the list shows of the account's cron of this label. Raises NotFound for anybody else's."""
    return _lines_of([cron_for(account, label)])[0]


def _lines_of(crons: list[Cron]) -> list[CronLine]:
    """In as many statements for fifty as for one."""
    runs, prices = _last_runs_of(crons), _prices_of(crons, now=current_time())
    return [
        CronLine(cron=cron, schedule=cron.parsed, runs=runs.get(cron.pk, []), price=prices[cron.pk]) for cron in crons
    ]


def _last_runs_of(crons: list[Cron]) -> dict[int, list[CronRun]]:
    """The last runs of each, oldest first. One statement, which reads no row that is not shown."""
    if not crons:
        return {}
    one = f"SELECT * FROM (SELECT * FROM crons_cronrun WHERE cron_id = %s {NEWEST} LIMIT {STRIP}) AS part"
    found: dict[int, list[CronRun]] = {}
    for run in CronRun.objects.raw(" UNION ALL ".join([one] * len(crons)), [cron.pk for cron in crons]):
        found.setdefault(run.cron_id, []).append(run)
    for runs in found.values():
        runs.sort(key=lambda run: (run.scheduled_at, run.pk))
    _fetch_jobs(run for runs in found.values() for run in runs)
    return found


def _fetch_jobs(runs: Iterable[CronRun]) -> None:
    """The jobs of those that are not over: pages say where they stand."""
    pending = [run for run in runs if run.verdict == Verdict.PENDING and run.job_id is not None]
    prefetch_related_objects(pending, "job")


def has_cron(account: User, label: str) -> bool:
    return Cron.objects.filter(account=account, label=label).exists()


def code_digest(cron: Cron) -> str:
    """SHA-256 of the pickled function: which version of the code runs."""
    return Blob.objects.values_list("digest", flat=True).get(pk=cron.function_blob_id)


def labels_of(account: User) -> list[str]:
    """Labels of all the account's crons."""
    return list(Cron.objects.filter(account=account).order_by("label").values_list("label", flat=True))


def cron_for(account: User, label: str, *, locked: bool = False) -> Cron:
    """The account's cron of this label. Raises NotFound for anybody else's. `locked` is for changing it."""
    crons: QuerySet[Cron] = Cron.objects.select_related("function", "environment", "core_type", "account", "module_set")
    if locked:
        crons = Cron.objects.select_for_update()
    # Others have no label like that, and a database may not take them as text.
    cron = crons.filter(account=account, label=label).first() if label.isascii() and label.isprintable() else None
    if cron is None:
        raise NotFound("cron_unknown", f"There is no cron {label[:200]!r} in this account.")
    return cron


def last_runs(cron: Cron, *, number: int = STRIP) -> list[CronRun]:
    """The last runs of a cron, oldest first."""
    runs = list(CronRun.objects.filter(cron=cron).order_by("-scheduled_at", "-id")[:number])[::-1]
    _fetch_jobs(runs)
    return runs


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
    _fetch_jobs(found)
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
    return _prices_of([cron], now=now or current_time())[cron.pk]


def _prices_of(crons: list[Cron], *, now: datetime) -> dict[int, Price]:
    """The price of each, in one question to the database."""
    months = {cron.pk: now.astimezone(cron.parsed.zone).date().replace(day=1) for cron in crons}
    days = CronDay.objects.filter(cron__in=months, day__gte=min(months.values(), default=now.date()))
    charges, numbers = dict.fromkeys(months, 0), dict.fromkeys(months, 0)
    for pk, day, charge, *counts in days.values_list("cron", "day", "charge", "n_ok", "n_failed", "n_killed"):
        if day >= months[pk]:
            charges[pk] += charge
            numbers[pk] += sum(counts)
    return {cron.pk: _price(cron, charges[cron.pk], numbers[cron.pk], now=now) for cron in crons}


def _price(cron: Cron, so_far: int, number: int, *, now: datetime) -> Price:
    if not number:
        return Price(so_far=dollars(so_far), projected=None)
    schedule = cron.parsed
    first = now.astimezone(schedule.zone).date().replace(day=1)
    left = 0 if cron.is_paused else schedule.count(now, _end_of_month(first, schedule))
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
