"""Time zones from the pinned tzdata package, so that a schedule does not depend on the host it runs on."""

from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from common.exceptions import Refused

DAY = timedelta(days=1)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every zone there is."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises Refused for any other text."""
    if name not in zone_names():
        raise Refused("unknown_zone", f"There is no time zone {name[:64]!r}{_like(name)}.")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _like(name: str) -> str:
    by_lower = {known.lower(): known for known in zone_names()}
    close = get_close_matches(name[:64].lower(), by_lower, n=1, cutoff=0.75)
    return f"; did you mean {by_lower[close[0]]}?" if close else ": give an IANA name such as Europe/Berlin or UTC"


def exists(local: datetime) -> bool:
    """Whether clocks in its zone ever show this time: not when it lies in an hour that is left out."""
    return local.replace(tzinfo=None) == local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)


def offset_change(day: date, zone: ZoneInfo) -> timedelta:
    """By how much clocks go forward on this day; negative when they go back, zero on most days."""
    before, after = (_midnight(day, zone).utcoffset(), _midnight(day + DAY, zone).utcoffset())
    assert before is not None
    assert after is not None
    return after - before


@lru_cache(maxsize=16_384)
def is_plain(day: date, zone: ZoneInfo) -> bool:
    """Whether clocks run evenly through this day and the days beside it."""
    offsets = {_midnight(day + n * DAY, zone).utcoffset() for n in (-1, 0, 1, 2)}
    return len(offsets) == 1


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
