"""The state of a cron and the outcome of a run in words, each with the mark that goes with it."""

from crons.models import Cron, CronRun
from crons.states import BAD, Mark, Outcome, State, Verdict
from jobs.display.looks import Look, look_of_job

STATES: dict[State, Look] = {
    State.NEW: Look("waiting", "New"),
    State.UP: Look("done", "Up"),
    State.LATE: Look("late", "Late"),
    State.FAILING: Look("error", "Failing"),
    State.MISSED: Look("missed", "Missed"),
}
MARKS: dict[Mark, Look] = {
    Mark.OK: Look("done", "Ok"),
    Mark.FAILED: Look("error", "Failed"),
    Mark.LATE: Look("late", "Late"),
    Mark.MISSED: Look("missed", "Missed"),
    Mark.SKIPPED: Look("skipped", "Skipped"),
    Mark.KILLED: Look("killed", "Killed"),
    Mark.RUNNING: Look("processing", "Running"),
}


def look_of_cron(cron: Cron) -> Look:
    state = State(cron.state)
    if cron.is_paused:
        return Look("paused", "Paused", STATES[state].word.lower() if state in BAD else "")
    return STATES[state]


def look_of_run(run: CronRun) -> Look:
    """Its job's own look while that is unfinished, so that queued and running are told apart."""
    if run.outcome == Outcome.SUBMITTED and run.verdict == Verdict.PENDING and run.job is not None:
        look = look_of_job(run.job)
        return Look(look.mark, look.word, "late") if run.is_late else look
    look = MARKS[run.mark]
    return Look(look.mark, look.word, _because(run))


def _because(run: CronRun) -> str:
    if run.outcome == Outcome.MISSED and run.instants > 1:
        return f"{run.instants:,} times"
    if run.outcome == Outcome.SKIPPED:
        return "an earlier one ran"
    if run.verdict == Verdict.TOO_LONG:
        return "max run time"
    return "late" if run.is_late and run.mark != Mark.LATE else ""
