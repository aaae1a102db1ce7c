"""The arithmetic of the figures, and the tables they are shown in."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """What one measure found: rows of texts for people, `data` for programs."""

    key: str  # the letter of --only
    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def median_of(rounds: Sequence[Sequence[float]], share: float) -> float:
    """The median over the rounds of a percentile in each: one bad round does not decide."""
    return statistics.median(percentile(values, share) for values in rounds)


def efficiency(*, tasks: int, milliseconds: float, workers: int, seconds: float) -> float:
    """The share of the workers' time that went into the work: ideal time by actual time."""
    return tasks * milliseconds / 1000 / workers / seconds


def rate(number: int, seconds: float) -> float:
    return number / seconds


def for_many(seconds: float, *, done: int, wanted: int) -> float:
    """Seconds that `wanted` tasks take at the pace of the `done` ones."""
    return seconds * wanted / done


def megabytes_per_second(*, tasks: int, size: int, seconds: float) -> float:
    """Payload a second, in both directions."""
    return 2 * tasks * size / 1e6 / seconds


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Least, median and greatest."""
    return " / ".join(format(value, form) for value in (min(values), statistics.median(values), max(values)))
