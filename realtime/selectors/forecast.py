"""What each of the last hours was expected to bring, beside what came."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from realtime.models import ForecastHour, LoadHour

SHOWN = 24  # hours, and the one that is to come
HOUR = timedelta(hours=1)
MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Hour:
    """An hour in busy cores on average: expected from crons and from habits, and come. None where nobody looked."""

    begins_at: datetime
    crons: float | None
    habits: float | None
    came: float | None  # None while it is to come
    came_of_crons: float
    is_running: bool

    @property
    def expected(self) -> float | None:
        return None if self.crons is None or self.habits is None else self.crons + self.habits


def hours_of(now: datetime) -> list[Hour]:
    """The last day, the hour that runs, and the next one, of all core types together; oldest first."""
    this = now.replace(minute=0, second=0, microsecond=0)
    begins = [this + HOUR * n for n in range(-SHOWN, 2)]
    forecasts = {
        row["hour"]: (row["crons"], row["habits"])
        for row in ForecastHour.objects.filter(hour__gte=begins[0])
        .values("hour")
        .annotate(crons=Sum("cron_core_ms"), habits=Sum("habit_core_ms"))
        .order_by()
    }
    came: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    loads = LoadHour.objects.filter(hour__gte=begins[0]).values("hour", "of_crons").annotate(ms=Sum("core_ms"))
    for row in loads.order_by():
        came[row["hour"]][row["of_crons"]] += row["ms"]
    return [_hour(begin, this, forecasts.get(begin), came[begin]) for begin in begins]


def _hour(begin: datetime, this: datetime, forecast: tuple[int, int] | None, came: list[int]) -> Hour:
    crons, habits = forecast or (None, None)
    return Hour(
        begins_at=begin,
        crons=None if crons is None else crons / MS,
        habits=None if habits is None else habits / MS,
        came=None if begin > this else sum(came) / MS,
        came_of_crons=came[True] / MS,
        is_running=begin == this,
    )
