"""Looking ahead: the load of the next hour for the autoscaler, and the forecast that is kept to be compared."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from common.sql import db_time, execute_many
from realtime.capacity.occupancy import Occupancy
from realtime.selectors.load_to_come import cron_runs, habitual_loads
from realtime.selectors.snapshot import core_type_codes
from realtime.services.loads import HOUR, hour_of

SLICE = 300.0  # seconds
# An hour from when a machine that is started now could be ready, and some more.
SLICES = 18
AHEAD = timedelta(seconds=SLICE * SLICES)
EVERY = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
Expected = Mapping[str, tuple[float, ...]]


class Foresight:
    """The last look ahead, which is good for a minute."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._expected: Expected = {}

    def expected(self, now: datetime) -> Expected:
        """Busy cores that load to come needs, by core type, in each slice of five minutes from now on."""
        if self._at is None or not self._at <= now < self._at + EVERY:
            write_forecast(hour_of(now) + HOUR)
            self._at, self._expected = now, look_ahead(now)
        return self._expected


def look_ahead(now: datetime | None = None) -> Expected:
    """Busy cores by core type, in each slice of time from now on."""
    moment = now or timezone.now()
    found: dict[str, Occupancy] = defaultdict(lambda: Occupancy(slice_seconds=SLICE, number=SLICES))
    for runs in cron_runs(moment, moment + AHEAD):
        found[runs.core_type].add((runs.at - moment) / SECOND, seconds=runs.seconds, cores=runs.cores)
    hour = hour_of(moment)
    while hour < moment + AHEAD:
        first = (hour - moment) / SECOND
        for core_type, core_seconds in habitual_loads(hour).items():
            found[core_type].add(first, seconds=HOUR / SECOND, cores=core_seconds / (HOUR / SECOND))
        hour += HOUR
    return {core_type: occupancy.cores() for core_type, occupancy in found.items()}


def write_forecast(hour: datetime) -> None:
    """Keep what an hour that has not begun is expected to bring, in the place of what was expected before."""
    end = hour + HOUR
    crons: dict[str, float] = defaultdict(float)
    for runs in cron_runs(hour - SECOND, end - SECOND):
        # Like the load that comes: what it takes within the hour.
        crons[runs.core_type] += min(runs.seconds, (end - runs.at) / SECOND) * runs.cores
    habits = habitual_loads(hour)
    execute_many(
        """
        INSERT INTO realtime_forecasthour (core_type_id, hour, cron_core_ms, habit_core_ms, made_at)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (hour, core_type_id) DO UPDATE
        SET cron_core_ms = excluded.cron_core_ms, habit_core_ms = excluded.habit_core_ms, made_at = excluded.made_at
        """,
        [
            (
                code,
                db_time(hour),
                round(crons[code] * 1000),
                round(habits.get(code, 0.0) * 1000),
                db_time(timezone.now()),
            )
            for code in core_type_codes()
        ],
    )
