"""What a runner reports of the items it ran, and how far the worker believes it.

Jobs run beside the runner in its sandbox and could take it over, so nothing it says is used unchecked.
"""

from typing import Any, NamedTuple

from django.conf import settings

# What a report may leave out of the time that the worker saw pass before it is doubted.
SLACK_MS = 50
SLACK_SHARE = 0.02


class Report(NamedTuple):
    """What a runner says of one item, after it was found to be possible."""

    job: int
    ok: bool
    reason: str
    size: int
    is_exception: bool
    error: str
    run_ms: float
    user_ms: float
    system_ms: float
    max_rss: int

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> "Report":
        """Raises KeyError, TypeError or ValueError for what no honest runner says."""
        return cls(
            job=int(_figure(raw["job"])),
            ok=raw["ok"] is True,
            reason=str(raw["reason"]),
            size=int(_figure(raw["size"], most=settings.MAX_PAYLOAD)),
            is_exception=raw["exception"] is True,
            error=str(raw["error"]),
            run_ms=_figure(raw["run_ms"]),
            user_ms=_figure(raw["user_ms"]),
            system_ms=_figure(raw["system_ms"]),
            max_rss=int(_figure(raw["max_rss"])),
        )


def _figure(value: object, *, most: float = 2**53) -> float:
    """A number out of a report, by default up to what is exact as a float.

    Raises ValueError for one that nothing here can have, TypeError for what is none.
    """
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    if not 0 <= value <= most:
        raise ValueError(f"{value!r} is not possible")
    return float(value)


def believed_ms(reported_ms: float, *, observed_ms: float, unwatched_ms: float) -> float:
    """How long jobs ran, from what the sandbox reports and what the worker saw.

    Jobs run beside the reporter in their sandbox and could make it lie. So it must account for the time that
    the worker watched, but for some slack, and cannot have run longer than the worker saw pass at all.
    """
    watched_ms = observed_ms - unwatched_ms
    least = watched_ms - max(SLACK_MS, SLACK_SHARE * watched_ms)
    return min(max(reported_ms, least), observed_ms)
