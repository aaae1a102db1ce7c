"""What is asked of a reservation, checked one by one: each refusal names what is wrong, and what would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from reprlib import repr as shown
from typing import Any

from django.conf import settings
from django.utils import timezone

from common.exceptions import Refused
from crons.zones import zone_of
from jobs.models import CoreType
from realtime.weekly import DAYS, Weekly

LONGEST_AHEAD = timedelta(days=366)
# The moment that somebody calls "now" is past when it arrives.
PAST_GRACE = timedelta(minutes=5)
MOST_CORES = 1_000_000  # a number that can be meant; the limits are lower
KEY_LENGTH = (8, 64)
KNOWN = ("type", "cores", "max_hours", "starts_at", "request_key")
KNOWN_OF_WINDOWS = ("type", "cores", "weekdays", "begins", "ends", "timezone")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A core type that there is, a number of cores that its jobs can use, and times that can be meant."""

    core_type: str
    cores: int
    max_hours: int | None = None
    starts_at: datetime | None = None  # None: as soon as can be


@dataclass(frozen=True, kw_only=True)
class WindowTerms:
    """The same, every week."""

    core_type: str
    cores: int
    weekly: Weekly


def check_core_type(code: object) -> CoreType:
    """Raises Refused for a type that there is not, or not any more."""
    known = {row.code: row for row in CoreType.objects.filter(is_active=True)}
    if not isinstance(code, str) or code not in known:
        raise Refused("unknown_core_type", f"There is no core type {shown(code)}; choose one of {', '.join(known)}.")
    return known[code]


def check_cores(value: object, core_type: CoreType) -> int:
    """Raises Refused for what is no number of cores, and for fewer than one job needs."""
    if type(value) is not int or not 1 <= value <= MOST_CORES:
        raise Refused("bad_cores", f"cores must be a whole number from 1 to {MOST_CORES:,}, not {shown(value)}.")
    least = min(core_type.allowed_cores)
    if value < least:
        raise Refused("cores_not_allowed", f"A job on {core_type.code} has {least} cores at least: reserve so many.")
    return value


def check_hours(value: object) -> int | None:
    """Whole hours; None is as long as this installation allows."""
    most = settings.REALTIME_MAX_HOURS
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise Refused("bad_hours", f"The maximum duration must be a whole number of hours from 1, not {shown(value)}.")
    if value > most:
        raise Refused("bad_hours", f"A reservation lasts {most:,} hours here at most; {shown(value)} are too many.")
    return value


def check_start(value: object) -> datetime | None:
    """A moment with its zone, as text or as it is. None, or one that has just passed, is as soon as can be."""
    if value is None or value == "":
        return None
    moment = _moment(value)
    now = timezone.now()
    if moment < now - PAST_GRACE:
        raise Refused("bad_start", f"The start {shown(value)} is in the past; leave it out to begin at once.")
    if moment > now + LONGEST_AHEAD:
        raise Refused("bad_start", f"The start {shown(value)} is more than a year ahead.")
    return moment if moment > now else None


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None or not 1970 < moment.year < 9999:
        raise Refused(
            "bad_start", f"starts_at must be a time with its zone, as 2030-01-31T09:00:00+01:00, not {shown(value)}."
        )
    return moment


def check_key(value: object) -> str | None:
    """What makes a request that is sent again harmless."""
    if value is None:
        return None
    least, most = KEY_LENGTH
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isascii() or not value.isprintable():
        raise Refused("bad_request_key", f"request_key must be {least} to {most} printable ASCII characters.")
    return value


def check_weekly(*, weekdays: object, begins: object, ends: object, zone: object) -> Weekly:
    """Raises Refused for days that there are not, times that are none, and a window without length."""
    if not isinstance(weekdays, list | tuple) or not weekdays or len(weekdays) > len(DAYS):
        raise Refused("bad_window", "weekdays must be a list of days, of which 0 is Monday and 6 is Sunday.")
    for day in weekdays:
        if type(day) is not int or not 0 <= day < len(DAYS):
            raise Refused("bad_window", f"weekdays has {shown(day)}: days are numbers from 0, Monday, to 6, Sunday.")
    if not isinstance(zone, str):
        raise Refused("unknown_zone", f"timezone must be an IANA name such as Europe/Berlin, not {shown(zone)}.")
    zone_of(zone)
    first, last = _clock("begins", begins), _clock("ends", ends)
    if first == last:
        raise Refused("bad_window", f"The window begins and ends at {first:%H:%M}: give it a length.")
    return Weekly(weekdays=frozenset(weekdays), begins=first, ends=last, timezone=zone)


def _clock(name: str, value: object) -> time:
    try:
        clock = time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        clock = None
    if not isinstance(clock, time) or clock.tzinfo is not None:
        raise Refused("bad_window", f"{name} must be a time of day such as 09:00, not {shown(value)}.")
    return clock.replace(microsecond=0)


def _object(raw: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise Refused("bad_json", "The request must be a JSON object.")
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise Refused("unknown_option", f"There is no option {shown(unknown[0])} here; known are {', '.join(known)}.")
    return raw


def parse_terms(raw: object) -> tuple[Terms, str | None]:
    """The terms as JSON brings them, and the key of the request. Raises Refused, naming the first that is wrong."""
    given = _object(raw, KNOWN)
    core_type = check_core_type(given.get("type"))
    terms = Terms(
        core_type=core_type.code,
        cores=check_cores(given.get("cores"), core_type),
        max_hours=check_hours(given.get("max_hours")),
        starts_at=check_start(given.get("starts_at")),
    )
    return terms, check_key(given.get("request_key"))


def parse_window(raw: object) -> WindowTerms:
    """The terms of a window as JSON brings them. Raises Refused."""
    given = _object(raw, KNOWN_OF_WINDOWS)
    core_type = check_core_type(given.get("type"))
    return WindowTerms(
        core_type=core_type.code,
        cores=check_cores(given.get("cores"), core_type),
        weekly=check_weekly(
            weekdays=given.get("weekdays"),
            begins=given.get("begins"),
            ends=given.get("ends"),
            zone=given.get("timezone", "UTC"),
        ),
    )
