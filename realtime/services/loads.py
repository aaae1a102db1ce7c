"""Adding up the load of each hour, from which habits are learned and beside which forecasts are shown."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from common.sql import db_time, execute_many
from crons.models import JOB_LABEL
from realtime.models import ForecastHour, LoadHour

HOUR = timedelta(hours=1)
KEEP = timedelta(weeks=10)
CRON_LABEL = JOB_LABEL.format("")


class Load(NamedTuple):
    """One run that has ended."""

    account_id: int
    core_type: str
    cores: int
    started_at: datetime
    run_ms: int
    label: str

    @property
    def hour(self) -> datetime:
        return hour_of(self.started_at)

    @property
    def core_ms(self) -> int:
        """What it took within the hour in which it began."""
        left = (self.hour + HOUR - self.started_at) // timedelta(milliseconds=1)
        return min(self.run_ms, left) * self.cores


def hour_of(moment: datetime) -> datetime:
    """The begin of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def add_loads(loads: Iterable[Load]) -> None:
    """Call it in the transaction that counts these runs as read."""
    sums: dict[tuple[datetime, str, int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for load in loads:
        total = sums[load.hour, load.core_type, load.account_id, load.label.startswith(CRON_LABEL)]
        total[0] += 1
        total[1] += load.core_ms
    execute_many(
        """
        INSERT INTO realtime_loadhour (hour, core_type_id, account_id, of_crons, runs, core_ms)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (hour, core_type_id, account_id, of_crons) DO UPDATE
        SET runs = realtime_loadhour.runs + excluded.runs, core_ms = realtime_loadhour.core_ms + excluded.core_ms
        """,
        [(db_time(hour), *rest, *total) for (hour, *rest), total in sums.items()],
    )


def forget_loads(now: datetime) -> int:
    """Remove hours from which nothing is learned any more, and their forecasts; answers how many rows."""
    gone = LoadHour.objects.filter(hour__lt=now - KEEP).delete()[0]
    return gone + ForecastHour.objects.filter(hour__lt=now - KEEP).delete()[0]
