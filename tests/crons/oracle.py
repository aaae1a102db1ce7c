"""Random schedules, and what an independent implementation (cronsim) says of them."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple

from cronsim import CronSim, CronSimError
from cronsim.cronsim import is_imaginary

from common.exceptions import Refused
from crons.schedule import Schedule
from crons.zones import offset_change, zone_of

# Whole and half hours, two at once, changes at midnight, on either hemisphere, and zones that moved or gave them up.
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Kyiv", "Europe/Chisinau"),
    *("Europe/Istanbul", "Europe/Volgograd", "Atlantic/Azores", "America/New_York", "America/Los_Angeles"),
    *("America/St_Johns", "America/Havana", "America/Sao_Paulo", "America/Asuncion", "America/Santiago"),
    *("America/Nuuk", "America/Scoresbysund", "America/Mexico_City", "America/Caracas", "America/Miquelon"),
    *("America/Punta_Arenas", "Africa/Casablanca", "Africa/Cairo", "Africa/Juba", "Africa/Khartoum"),
    *("Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Tehran", "Asia/Amman", "Asia/Damascus", "Asia/Kolkata"),
    *("Asia/Kathmandu", "Asia/Pyongyang", "Asia/Ulaanbaatar", "Asia/Tokyo", "Australia/Lord_Howe"),
    *("Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia"),
    *("Pacific/Norfolk", "Pacific/Easter", "Pacific/Fiji", "Pacific/Tongatapu", "Antarctica/Troll"),
)
YEARS = range(2012, 2031)
WALKED_MINUTES = 10 * 24 * 60
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS))
WEEK = (0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))


class Case(NamedTuple):
    schedule: str
    zone: str
    start: datetime


def _value(rng: random.Random, low: int, high: int, names: tuple[str, ...]) -> str:
    if names and rng.random() < 0.3:
        name = rng.choice(names)
        return rng.choice([name, name.upper(), name.capitalize()])
    return str(rng.randint(low, high))


def _part(rng: random.Random, low: int, high: int, names: tuple[str, ...]) -> str:
    kind = rng.random()
    if kind < 0.15:
        return f"*/{rng.randint(1, high)}"
    if kind < 0.25:
        return f"{_value(rng, low, high, names)}/{rng.randint(1, high)}"
    if kind < 0.45:
        # Of two numbers: cronsim takes 5-5/3 for 5/3.
        first, last = sorted(rng.sample(range(low, high + 1), 2))
        step = f"/{rng.randint(1, 10)}" if rng.random() < 0.4 else ""
        return f"{first}-{last}{step}"
    return _value(rng, low, high, names)


def _field(rng: random.Random, low: int, high: int, names: tuple[str, ...], *, star: float) -> str:
    if rng.random() < star:
        return "*"
    return ",".join(_part(rng, low, high, names) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def _schedule(rng: random.Random) -> str:
    """Mostly at night, when clocks are changed."""
    minute, hour, day, month = (
        _field(rng, *bounds, star=star) for bounds, star in zip(FIRST_FIELDS, (0.25, 0.3, 0.6, 0.75), strict=True)
    )
    if rng.random() < 0.5:
        hour = rng.choice(("0", "1", "2", "3", "0-3", "23", "1,2", "*/2", "2-3", "0,23"))
    return " ".join((minute, hour, day, month, _field(rng, *WEEK, star=0.6)))


@cache
def _days_of_change(zone: str) -> list[date]:
    days = [date(YEARS[0], 1, 1) + timedelta(days=n) for n in range(366 * len(YEARS))]
    return [day for day in days if offset_change(day, zone_of(zone))]


def _start(rng: random.Random, zone: str) -> datetime:
    """A moment of these years, three times in four some hours before clocks are changed."""
    moment = datetime(rng.choice(YEARS), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), tzinfo=UTC)
    days = _days_of_change(zone)
    if days and rng.random() < 0.75:
        moment = datetime.combine(rng.choice(days), time(), tzinfo=UTC) + timedelta(hours=rng.randint(-30, 16))
    return moment + timedelta(minutes=rng.randint(0, 59), seconds=rng.choice((0, 0, 30)))


def cases(seed: int, number: int) -> Iterator[Case]:
    """Random cases, the same for the same seed; each zone comes equally often."""
    rng = random.Random(seed)
    for place in range(number):
        zone = ZONES[place % len(ZONES)]
        yield Case(_schedule(rng), zone, _start(rng, zone))


def expected(case: Case, number: int) -> list[datetime]:
    """What cronsim says, of instants in UTC.

    Three habits of it are not taken over: that two runs may fall on one instant, that a minute which no clock shows
    stands for the first of a day when it was searched for by days, and that it starts from the first pass of an hour.
    """
    local = case.start.astimezone(zone_of(case.zone))
    interval = Schedule.parse(case.schedule, case.zone).is_interval
    found: list[datetime] = []
    for moment in islice(CronSim(case.schedule, local), number * 4):
        if interval and is_imaginary(moment):
            continue
        instant = moment.astimezone(UTC)
        if instant > case.start and instant not in found[-1:]:
            found.append(instant)
    return found[:number]


def walked(case: Case, start: datetime, number: int) -> list[datetime]:
    """An interval schedule, minute by minute as they elapse, by cronsim's reading of its fields.

    Says who is right where cronsim steps in whole hours: over changes by part of an hour, and from a midnight that no
    clock shows.
    """
    fields, zone = CronSim(case.schedule, start), zone_of(case.zone)
    moment, found = start.replace(second=0), []
    for _ in range(WALKED_MINUTES):
        moment += timedelta(minutes=1)
        local = moment.astimezone(zone)
        if (
            local.minute in fields.minutes
            and local.hour in fields.hours
            and local.month in fields.months
            and fields.match_day(local.date())
        ):
            found.append(moment)
            if len(found) == number:
                break
    return found


def _ever_fires(case: Case) -> bool:
    try:
        return next(CronSim(case.schedule, case.start), None) is not None
    except CronSimError:
        return False


class Verdict(NamedTuple):
    """Whether we agree with the oracle, whether the walk had to say so, and what was compared."""

    agrees: bool
    was_walked: bool
    text: str


def check(case: Case, number: int = 4) -> Verdict:
    try:
        Schedule.parse(case.schedule, case.zone)
    except Refused as refusal:
        return Verdict(not _ever_fires(case), False, refusal.message)
    wanted = expected(case, number)
    ours = list(islice(Schedule.parse(case.schedule, case.zone).after(case.start), len(wanted)))
    text = f"{case.schedule!r} {case.zone} after {case.start}: {ours} is not {wanted}"
    if ours == wanted or not Schedule.parse(case.schedule, case.zone).is_interval:
        return Verdict(ours == wanted, False, text)
    # Up to here they agree, and one of these two instants is the next.
    place = next(n for n, (one, other) in enumerate(zip(ours, wanted, strict=True)) if one != other)
    edge = max(case.start, min(ours[place], wanted[place]) - timedelta(hours=6))
    found = [at for at in walked(case, edge, number) if at > case.start and at not in ours[:place]]
    return Verdict(bool(found) and found[: number - place] == ours[place : place + len(found)], True, text)
