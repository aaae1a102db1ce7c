"""Hours of load as bars: what came, with a line across it for what had been expected."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from realtime.selectors.forecast import Hour

PITCH, BAR, HEIGHT = 26, 20, 120
LEFT = 40
# The scale ends at one of these times a power of ten.
STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Bar:
    """Heights are in pixels from the ground."""

    x: int
    came: float
    crons: float
    expected: float | None
    kind: str
    hour: str
    words: str

    @property
    def top(self) -> float:
        return HEIGHT - self.came

    @property
    def crons_top(self) -> float:
        return HEIGHT - self.crons

    @property
    def expected_at(self) -> float | None:
        return None if self.expected is None else HEIGHT - self.expected


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    most: float
    words: str

    @property
    def width(self) -> int:
        return LEFT + len(self.bars) * PITCH

    @property
    def most_words(self) -> str:
        return f"{self.most:g}"


def chart_of(hours: Sequence[Hour]) -> Chart:
    most = _scale(max((max(hour.came or 0.0, hour.expected or 0.0) for hour in hours), default=0.0))
    bars = [_bar(number, hour, HEIGHT / most) for number, hour in enumerate(hours)]
    return Chart(bars, most, f"Busy cores in each of {len(hours)} hours, up to {most:g}")


def _scale(value: float) -> float:
    """The least round number that is not below the value."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 < value:
        power *= 10
    while power >= value * 10:
        power /= 10
    return next(step * power for step in STEPS if step * power >= value)


def _bar(number: int, hour: Hour, scale: float) -> Bar:
    local = timezone.localtime(hour.begins_at)
    came = "to come" if hour.came is None else f"{hour.came:.2f} cores{' so far' if hour.is_running else ''}"
    expected = "nothing was foreseen" if hour.expected is None else f"{hour.expected:.2f} expected"
    return Bar(
        x=LEFT + number * PITCH,
        came=round((hour.came or 0.0) * scale, 1),
        crons=round(hour.came_of_crons * scale, 1),
        expected=None if hour.expected is None else round(hour.expected * scale, 1),
        kind="next" if hour.came is None else "running" if hour.is_running else "past",
        hour=f"{local:%H}",
        words=f"{local:%a %H:%M}: {came}, {expected}",
    )
