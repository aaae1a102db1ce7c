"""The bar of a map: its jobs by status, as widths of rectangles."""

from dataclasses import dataclass

from jobs.display.looks import WORDS
from jobs.states import Status

WIDTH = 120
# A share that exists is never too thin to be seen.
THINNEST = 2.0

ORDER = (
    Status.DONE,
    Status.ERROR,
    Status.KILLED,
    Status.STALLED,
    Status.PROCESSING,
    Status.QUEUED,
    Status.WAITING,
)


@dataclass(frozen=True)
class Segment:
    status: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    width: int
    segments: list[Segment]
    words: str


def bar_of(counts: dict[Status, int], *, total: int, width: int = WIDTH) -> Bar:
    """Rectangles that fill `width` in proportion; what has not arrived stays empty."""
    present = [(status, counts[status]) for status in ORDER if counts[status]]
    widths = [max(THINNEST, width * n / max(total, 1)) for _, n in present]
    # The thin ones took a little too much: all give back in proportion.
    scale = min(1.0, width / sum(widths)) if widths else 1.0
    segments: list[Segment] = []
    x = 0.0
    for (status, _), share in zip(present, widths, strict=True):
        segments.append(Segment(status.value, round(x, 2), round(share * scale, 2)))
        x += share * scale
    words = ", ".join(f"{n:,} {WORDS[status].lower()}" for status, n in present)
    return Bar(width, segments, words or "none yet")
