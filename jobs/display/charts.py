"""Charts as the numbers of an SVG: what they show is computed here, how they look is CSS."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.display.looks import WORDS
from jobs.models import Job
from jobs.states import Status

# Units of the drawing; CSS stretches it to the width of its place.
WIDTH, HEIGHT = 600.0, 120.0
MOST_POINTS = 300
THINNEST = 2.0
# A job without dependencies is queued within a moment of its submit: that is no stretch of waiting.
SHORTEST_WAIT = timedelta(milliseconds=50)

Sample = tuple[float, float, float]


@dataclass(frozen=True)
class Chart:
    """A line and the area below it. `limit_y` is where a limit is drawn, if it is in sight."""

    name: str
    line: str
    area: str
    top: float
    peak: float
    last: float
    seconds: float
    limit: float | None
    limit_y: float | None

    @property
    def is_percent(self) -> bool:
        return self.name == "CPU"

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1000


@dataclass(frozen=True)
class Stage:
    """One stretch of a job's way: where it lies on the waterfall, and how long it took."""

    name: str
    word: str
    x: float
    width: float
    took: timedelta
    starts_at: datetime
    is_open: bool


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` points; of each group the highest stays, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return points
    group = -(-len(points) // MOST_POINTS)
    return [max(points[i : i + group], key=lambda point: point[1]) for i in range(0, len(points), group)]


def chart_of(name: str, points: list[tuple[float, float]], *, limit: float | None, floor: float) -> Chart | None:
    """A chart of (second, value) points, at least `floor` high. Nothing for fewer than two points."""
    if len(points) < 2:
        return None
    peak = max(value for _, value in points)
    # A limit far above what happened would press the line flat: then it is only written.
    in_sight = limit is not None and limit <= peak * 4
    top = max(floor, peak * 1.15, limit * 1.05 if in_sight and limit else 0.0)
    seconds = max(points[-1][0], 0.001)
    drawn = [(WIDTH * max(s, 0.0) / seconds, HEIGHT * (1 - value / top)) for s, value in _thinned(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    return Chart(
        name=name,
        line=line,
        area=f"{drawn[0][0]:.1f},{HEIGHT} {line} {drawn[-1][0]:.1f},{HEIGHT}",
        top=top,
        peak=peak,
        last=points[-1][1],
        seconds=seconds,
        limit=limit,
        limit_y=round(HEIGHT * (1 - limit / top), 1) if in_sight and limit else None,
    )


def metrics_charts(samples: list[Sample], *, cores: int, memory_limit: float) -> list[Chart]:
    """CPU and memory over the life of a job."""
    cpu = chart_of("CPU", [(s, value) for s, value, _ in samples], limit=100.0 * cores, floor=10.0)
    memory = chart_of("Memory", [(s, value) for s, _, value in samples], limit=memory_limit, floor=1e6)
    return [chart for chart in (cpu, memory) if chart is not None]


def waterfall_of(job: Job, *, now: datetime) -> list[Stage]:
    """The way of a job from submit to finish, as stretches over one axis of time."""
    submitted = job.batch.created_at
    end = job.finished_at or now
    marks = [(Status.WAITING, submitted, job.queued_at), (Status.QUEUED, job.queued_at, job.started_at)]
    marks.append((Status.PROCESSING, job.started_at, job.finished_at))
    whole = max(end - submitted, timedelta(milliseconds=1))
    stages = []
    for status, begin, until in marks:
        if begin is None:
            continue
        if status == Status.WAITING and (until or end) - begin < SHORTEST_WAIT:
            continue
        stop = max(until or end, begin)
        stages.append(
            Stage(
                name=status.value,
                word=WORDS[status],
                x=round(min(WIDTH * ((begin - submitted) / whole), WIDTH - THINNEST), 1),
                width=round(max(THINNEST, WIDTH * ((stop - begin) / whole)), 1),
                took=stop - begin,
                starts_at=begin,
                is_open=until is None and job.finished_at is None,
            )
        )
        if until is None:
            break
    return stages
