"""What to do about a cron whose time has come: pure, from its schedule, its policies and the time that it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from crons.schedule import Schedule
from crons.states import CatchUp, Overlap, Trigger

# Later than this, the clock was not there to start it: the run is one that was caught up with.
PUNCTUAL = timedelta(minutes=1)
MOST_CAUGHT_UP = 100  # runs of one cron after a downtime
MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Instants to run, oldest first, with what starts them; instants that are skipped; and those that were missed.

    Missed ones come before all others, and are told by the first of them and their number.
    """

    runs: Sequence[tuple[datetime, Trigger]]
    skipped: Sequence[tuple[datetime, Trigger]]
    missed_from: datetime | None
    missed: int
    next_at: datetime | None


# Kept, because crons that are due together mostly share their schedule.
@lru_cache(maxsize=1024)
def plan_runs(
    schedule: Schedule,
    *,
    due: datetime,
    now: datetime,
    catch_up: CatchUp,
    overlap: Overlap,
    grace: timedelta,
    is_busy: bool,
) -> Plan:
    """What becomes of the instants from `due` up to now. `is_busy`: an earlier run is unfinished.

    The last one runs, unless it is past the grace and nothing is to be caught up with. Of those before it, 'all' runs
    some, and the others are missed.
    """
    since = due - MOMENT
    after = schedule.next_after(due)
    if after is not None and after > now and schedule.next_after(since) == due:
        # As nearly always: the clock is here at each of them.
        instants = [due]
    else:
        instants = schedule.latest(since, now, limit=MOST_CAUGHT_UP if catch_up == CatchUp.ALL else 1)
        after = schedule.next_after(now)
    if instants and catch_up == CatchUp.NONE and now - instants[-1] > grace:
        instants = []
    first = instants[0] if instants else None
    missed = 0 if first == due else schedule.count(since, first - MOMENT if first else now)
    starts = [(at, _trigger(at, now)) for at in instants]
    kept = starts
    if overlap != Overlap.ALLOW:
        # They would all start now, each while the one before runs.
        kept = [] if overlap == Overlap.SKIP and is_busy else starts[-1:]
    return Plan(
        runs=kept,
        skipped=[start for start in starts if start not in kept],
        missed_from=due if missed else None,
        missed=missed,
        next_at=after,
    )


def _trigger(at: datetime, now: datetime) -> Trigger:
    return Trigger.SCHEDULE if now - at <= PUNCTUAL else Trigger.CATCH_UP
