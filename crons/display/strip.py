"""The last runs of a cron as a strip of marks: how high, how whole and how full each is tells its outcome."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from common.times import format_duration
from crons.display.looks import MARKS, look_of_run
from crons.models import CronRun
from crons.states import Mark

SLOTS = 30
PITCH, HEIGHT = 7, 20
# Drawn from the upper left corner of a place that is five wide.
SHAPES: dict[Mark, str] = {
    Mark.OK: "m0 6h5v14h-5z",
    Mark.FAILED: "m2.5 0l2.5 4v16h-5v-16z",  # taller, with a point
    Mark.LATE: "m0 6h5v5h-5zm0 7h5v7h-5z",  # in two pieces
    Mark.MISSED: "m0 6h5v14h-5zm1.2 1.2v11.6h2.6v-11.6z",  # hollow
    Mark.SKIPPED: "m0 17h5v3h-5z",  # low
    Mark.KILLED: "m0 12h5v8h-5z",  # half
    Mark.RUNNING: "m0 6h5v14h-5zm1.2 1.2v6h2.6v-6z",  # half full
}


@dataclass(frozen=True)
class Place:
    """A mark of the strip. `path` is absolute; `words` say the run."""

    kind: str
    path: str
    words: str


@dataclass(frozen=True)
class Strip:
    places: list[Place]
    words: str

    @property
    def width(self) -> int:
        return SLOTS * PITCH - 2


def strip_of(runs: Sequence[CronRun]) -> Strip:
    """Runs, oldest first; the newest stands at the right end."""
    shown = runs[-SLOTS:]
    first = SLOTS - len(shown)
    places = [
        Place(run.mark.value, f"M{(first + n) * PITCH} 0{SHAPES[run.mark]}", words_of(run))
        for n, run in enumerate(shown)
    ]
    return Strip(places, _summary(shown))


def sample_of(mark: Mark) -> Place:
    """One mark alone, for a legend."""
    return Place(mark.value, f"M0 0{SHAPES[mark]}", MARKS[mark].word)


def words_of(run: CronRun) -> str:
    """When it was due, what became of it, and how long it took."""
    local = timezone.localtime(run.scheduled_at)
    said = [f"{local:%-d %b %H:%M} {local.tzname()}", str(look_of_run(run))]
    if run.duration is not None:
        said.append(format_duration(run.duration))
    return " · ".join(said)


def _summary(runs: Sequence[CronRun]) -> str:
    if not runs:
        return "No runs yet"
    counts = Counter(run.mark for run in runs)
    parts = ", ".join(f"{counts[mark]} {MARKS[mark].word.lower()}" for mark in Mark if counts[mark])
    word = "run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"Last {word}: {parts}; the newest {MARKS[runs[-1].mark].word.lower()}"
