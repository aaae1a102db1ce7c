"""A year of a cron as a calendar: a column for each week, a cell for each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from common.money import dollars, format_dollars
from crons.models import CronDay

WEEKS = 53
PITCH, CELL = 13, 11
TOP = 16  # room for the names of the months
LEFT = 28  # and of the days
DAY = timedelta(days=1)
KINDS = {
    "ok": "all well",
    "late": "some late",
    "some": "some failed or missed",
    "bad": "none went well",
    "other": "skipped or killed only",
    "none": "nothing due",
}
# What is laid over the cell of a day, so that kinds differ in shape.
OVER = {"late": "m0 11v-11l11 11z", "some": "m0 0h11v11z", "bad": "m2.5 2.5l6 6m0-6l-6 6"}


@dataclass(frozen=True)
class Cell:
    kind: str
    x: int
    y: int
    words: str

    @property
    def over(self) -> str:
        """The path of what lies over it."""
        return f"M{self.x} {self.y}{OVER[self.kind]}" if self.kind in OVER else ""


@dataclass(frozen=True)
class Heat:
    cells: list[Cell]
    months: list[tuple[int, str]]
    words: str

    @property
    def width(self) -> int:
        return LEFT + WEEKS * PITCH

    @property
    def height(self) -> int:
        return TOP + 7 * PITCH


def kind_of(day: CronDay) -> str:
    bad = day.n_failed + day.n_missed
    if bad:
        return "some" if day.n_ok else "bad"
    if day.n_late:
        return "late"
    if day.n_ok:
        return "ok"
    return "other" if day.n_killed or day.n_skipped else "none"


def words_of(day: CronDay) -> str:
    counts = (
        (day.n_ok, "ok"),
        (day.n_failed, "failed"),
        (day.n_killed, "killed"),
        (day.n_late, "late"),
        (day.n_missed, "missed"),
        (day.n_skipped, "skipped"),
    )
    said = ", ".join(f"{number:,} {word}" for number, word in counts if number) or "nothing yet"
    return f"{day.day:%a %-d %b %Y}: {said} · {format_dollars(dollars(day.charge))}"


def sample_of(kind: str) -> Cell:
    """One cell alone, for a legend."""
    return Cell(kind, 0, 0, KINDS[kind])


def heat_of(days: Iterable[CronDay], *, today: date) -> Heat:
    """The year that ends today; days that hold nothing stay empty."""
    known = {day.day: day for day in days}
    first = today - timedelta(days=today.weekday()) - (WEEKS - 1) * 7 * DAY
    cells, months = [], []
    for n in range((today - first).days + 1):
        day = first + n * DAY
        x = LEFT + n // 7 * PITCH
        if day.day == 1 and n // 7 < WEEKS - 2:
            months.append((x, f"{day:%b}"))
        entry = known.get(day)
        kind, words = (kind_of(entry), words_of(entry)) if entry else ("none", f"{day:%a %-d %b %Y}: nothing due")
        cells.append(Cell(kind, x, TOP + day.weekday() * PITCH, words))
    return Heat(cells, months, _summary(cells))


def _summary(cells: list[Cell]) -> str:
    said = [(sum(cell.kind == kind for cell in cells), words) for kind, words in KINDS.items()]
    parts = ", ".join(f"{number} {words}" for number, words in said if number)
    return f"Days of the last year: {parts}"
