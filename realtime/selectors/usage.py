"""What an account has run on a core type: runs one by one, and by the hour."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from common.money import MS_PER_HOUR
from common.sql import db_time, fetch_all
from jobs.models import Job
from jobs.services.dispatch import Group
from jobs.states import Status
from realtime.pricing import Span

HOUR = timedelta(hours=1)
# A shorter run counts in advice for the hour in which it began.
LONG_RUN_MS = 600_000

Run = tuple[datetime, int, int, int]  # start, ms, cores, micro-dollars per core-hour


def usage_since(group: Group, moment: datetime, *, now: datetime | None = None) -> list[Span]:
    """Every run, finished or not, that may reach beyond the moment; what was before it is not cut away."""
    minute = timedelta(minutes=1)
    finished = _runs(
        group, "(started_at >= %s OR run_ms >= %s)", [db_time(moment - minute), minute // timedelta(milliseconds=1)]
    )
    running = Job.objects.filter(
        account_id=group.account_id, core_type_id=group.core_type, status=Status.PROCESSING, started_at__isnull=False
    ).values_list("started_at", "cores", "price_micros")
    until = now or timezone.now()
    return [
        *(_span(*run) for run in finished),
        *(Span(start=start, end=until, charge_per_ms=cores * (price or 0)) for start, cores, price in running if start),
    ]


def _span(start: datetime, run_ms: int, cores: int, price_micros: int) -> Span:
    return Span(start=start, end=start + timedelta(milliseconds=run_ms), charge_per_ms=cores * price_micros)


def _runs(group: Group, condition: str, parameters: list[object]) -> list[Run]:
    rows = fetch_all(
        "SELECT started_at, run_ms, cores, price_micros FROM jobs_usagerecord "
        f"WHERE account_id = %s AND core_type_id = %s AND {condition}",
        [group.account_id, group.core_type, *parameters],
    )
    return [(_moment(start), run_ms, cores, price) for start, run_ms, cores, price in rows]


def _moment(value: datetime | str) -> datetime:
    """SQLite keeps times as text, in UTC and without saying so."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def hourly_core_ms(group: Group, *, since: datetime) -> dict[datetime, int]:
    """Core-milliseconds of the finished runs in each hour in which there were some. Short runs are added up in the
    database, and stand in the hour of their start."""
    text = "substr(started_at, 1, 13)" if connection.vendor == "sqlite" else _POSTGRES_HOUR
    hours: dict[datetime, int] = defaultdict(int)
    for hour, core_ms in fetch_all(
        f"SELECT {text} AS hour, SUM(run_ms * cores) FROM jobs_usagerecord WHERE account_id = %s "
        "AND core_type_id = %s AND started_at >= %s AND run_ms < %s GROUP BY hour",
        [group.account_id, group.core_type, db_time(since), LONG_RUN_MS],
    ):
        hours[datetime.fromisoformat(f"{hour}:00:00+00:00")] += int(core_ms)
    for start, run_ms, cores, _ in _runs(group, "run_ms >= %s AND started_at >= %s", [LONG_RUN_MS, db_time(since)]):
        _spread(hours, start, run_ms, cores)
    return dict(hours)


_POSTGRES_HOUR = "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')"


def _spread(hours: dict[datetime, int], start: datetime, run_ms: int, cores: int) -> None:
    left = run_ms
    while left > 0:
        hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        part = min(left, MS_PER_HOUR - (start - hour) // timedelta(milliseconds=1))
        hours[hour] += part * cores
        left -= part
        start = hour + HOUR
