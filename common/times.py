"""Times as people read them."""

from datetime import timedelta


def format_duration(duration: timedelta | None) -> str:
    """A duration in at most two units: 3 ms, 4.1 s, 1 m 04 s, 2 h 05 m, 3 d 04 h."""
    if duration is None:
        return "–"
    seconds = duration.total_seconds()
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} m"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02} h"
