"""What is to come: crons exactly, and accounts that submit by habit as far as habits go."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from accounts.models import User
from common.sql import db_time, fetch_all, from_json
from crons.schedule import known_schedule
from realtime.capacity.profile import habitual_load
from realtime.keys import Likeness, version_of
from realtime.models import LoadHour
from realtime.selectors.backlog import stats_for
from realtime.selectors.estimates import stats_of
from realtime.weekly import zone_or_utc

HOUR = timedelta(hours=1)
DAYS, WEEKS = 14, 8

_CRONS = """
SELECT cron.id, cron.account_id, cron.function_id, cron.core_type_id, cron.cores, code.digest,
       COALESCE(modules.digest, ''), cron.environment_id, cron.max_runtime_ms, cron.env_vars, cron.schedule,
       cron.timezone
FROM crons_cron cron
JOIN storage_blob code ON code.id = cron.function_blob_id
LEFT JOIN jobs_moduleset modules ON modules.id = cron.module_set_id
WHERE cron.next_at <= %s
"""


class CronRuns(NamedTuple):
    """Runs of crons that begin at the same moment and take about as long: on `cores` cores together."""

    core_type: str
    at: datetime
    seconds: float
    cores: int


@dataclass
class _Alike:
    """Crons of one schedule, whose runs take about as long."""

    cores: int = 0
    core_seconds: float = 0.0


def cron_runs(now: datetime, until: datetime) -> Iterator[CronRuns]:
    """Every run of a cron that begins after now, and up to a moment.

    Those that share their schedule, and whose runs take about as long, are taken together.
    """
    rows = fetch_all(_CRONS, [db_time(until)])
    alike = {row[0]: _likeness(row) for row in rows}
    known = stats_of(key for likeness in alike.values() for key in likeness.keys().values())
    groups: dict[tuple[str, str, str, int], _Alike] = defaultdict(_Alike)
    for row in rows:
        likeness = alike[row[0]]
        seconds = stats_for(likeness, known).mean / 1000
        group = groups[row[-2], row[-1], likeness.core_type, round(math.log2(max(seconds, 0.01)) * 2)]
        group.cores += likeness.cores
        group.core_seconds += likeness.cores * seconds
    instants: dict[tuple[str, str], list[datetime]] = {}
    for (schedule, zone, core_type, _), group in groups.items():
        if (schedule, zone) not in instants:
            instants[schedule, zone] = list(known_schedule(schedule, zone).between(now, until))
        for at in instants[schedule, zone]:
            yield CronRuns(core_type, at, group.core_seconds / group.cores, group.cores)


def _likeness(row: tuple[Any, ...]) -> Likeness:
    _, account_id, function_id, core_type, cores, code, modules, environment_id, max_ms, env_vars, *_ = row
    return Likeness(
        account_id=account_id,
        function_id=function_id,
        core_type=core_type,
        cores=cores,
        version=version_of(
            code=code,
            modules=modules,
            environment_id=environment_id,
            kill_process=False,
            max_runtime_ms=max_ms,
            env_vars=from_json(env_vars),
        ),
    )


def habitual_loads(hour: datetime) -> Mapping[str, float]:
    """Core-seconds that accounts are expected to bring in an hour, besides their crons, by core type."""
    # Habits keep to the clock on the wall: nine in the morning stays nine when clocks are changed.
    people = {user.pk: user for user in User.objects.only("time_zone", "date_joined")}
    like = {name: _hours_like(hour, zone_or_utc(name)) for name in {user.time_zone for user in people.values()}}
    asked = {moment for hours in like.values() for moment in hours}
    loads: dict[tuple[int, str], dict[datetime, int]] = defaultdict(dict)
    rows = LoadHour.objects.filter(of_crons=False, hour__in=asked)
    for account_id, core_type, moment, core_ms in rows.values_list("account_id", "core_type_id", "hour", "core_ms"):
        loads[account_id, core_type][moment] = core_ms
    found: dict[str, float] = defaultdict(float)
    for (account_id, core_type), by_hour in loads.items():
        user = people[account_id]
        found[core_type] += _habit(by_hour, like[user.time_zone], since=user.date_joined) / 1000
    return found


def _hours_like(hour: datetime, zone: ZoneInfo) -> list[datetime]:
    """The begins of the hours at the same time of the wall clock, a day back, two days back and so on, in UTC."""
    local = hour.astimezone(zone)
    back = ((local - timedelta(days=days)).astimezone(UTC) for days in range(1, WEEKS * 7 + 1))
    # Zones that are half an hour off: the hour in which it begins.
    return [moment.replace(minute=0, second=0, microsecond=0) for moment in back]


def _habit(by_hour: Mapping[datetime, int], days: Iterable[datetime], *, since: datetime) -> float:
    known = [float(by_hour.get(moment, 0)) for moment in days if moment + HOUR > since]
    return habitual_load(known[6::7], known[:DAYS])
