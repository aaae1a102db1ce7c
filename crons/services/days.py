"""Adding to the days of crons: what pages show of many runs without reading them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from common.sql import execute_many
from crons.models import Cron

COLUMNS = ("n_ok", "n_failed", "n_killed", "n_late", "n_missed", "n_skipped", "run_ms", "charge")


@dataclass(frozen=True)
class DayChange:
    """What a run adds to its day."""

    cron: Cron
    scheduled_at: datetime
    n_ok: int = 0
    n_failed: int = 0
    n_killed: int = 0
    n_late: int = 0
    n_missed: int = 0
    n_skipped: int = 0
    run_ms: int = 0
    charge: int = 0


def add_to_days(changes: Iterable[DayChange]) -> None:
    """Add them up, each to the day of its cron's zone on which it was due."""
    sums: dict[tuple[int, date], Counter[str]] = defaultdict(Counter)
    for change in changes:
        day = change.scheduled_at.astimezone(change.cron.parsed.zone).date()
        sums[change.cron.pk, day].update({name: getattr(change, name) for name in COLUMNS})
    sets = ", ".join(f"{name} = crons_cronday.{name} + excluded.{name}" for name in COLUMNS)
    # In one order, so that two of these never wait for each other.
    rows = [(cron, day.isoformat(), *map(total.__getitem__, COLUMNS)) for (cron, day), total in sorted(sums.items())]
    execute_many(
        f"INSERT INTO crons_cronday (cron_id, day, {', '.join(COLUMNS)}) "
        f"VALUES ({', '.join(['%s'] * (2 + len(COLUMNS)))}) ON CONFLICT (cron_id, day) DO UPDATE SET {sets}",
        rows,
    )
