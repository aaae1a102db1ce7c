"""Moving crons from state to state, with an event of each move, which may be mailed."""

from collections.abc import Mapping
from datetime import datetime

from common.text import make_visible
from common.times import format_duration
from crons.models import Cron, CronEvent
from crons.states import BAD, State


def change_states(wanted: Mapping[Cron, tuple[State, str]], *, now: datetime) -> None:
    """Give each cron its state, with a sentence that says why; one that has it already is left alone.

    Call it in the transaction that found out.
    """
    for cron, (state, why) in wanted.items():
        if cron.state == state:
            continue
        before, down_since = State(cron.state), cron.down_since
        cron.state, cron.state_since = state, now
        cron.down_since = (down_since or now) if state in BAD else None
        cron.save(update_fields=["state", "state_since", "down_since"])
        recovered = before in BAD and state == State.UP
        downtime = f"It runs well again, after {format_duration(now - down_since)}." if down_since else why
        CronEvent.objects.create(
            cron=cron,
            at=now,
            name="cron.state_changed",
            before=before,
            after=state,
            detail=make_visible(downtime if recovered else why)[:300],
            # That a new one went well is no news.
            mail_due=cron.alerts and (recovered or state in BAD),
        )
