"""What reserved cores cost: arithmetic on exact integers that reads no clock, no row and no setting.

Money is a *charge* (`common.money`). Hours are counted from the moment at which the cores were ready, and a
started hour is a whole one. Usage is paid in full elsewhere; a reserved hour adds its top-up to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from operator import attrgetter

from common.money import MS_PER_HOUR, charge_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)


class Rule(StrEnum):
    """How a reserved hour is charged beside what is used in it."""

    MINIMUM = "minimum"  # what is missing to the minimum: the hour costs the greater of the two
    FEE = "fee"  # the minimum as a fee, whatever is used


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """Cores that were ready at `start` and kept until `end`; None while they are."""

    id: int
    start: datetime
    end: datetime | None
    minimum_per_hour: int  # charge


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A run that was charged so much for each of its milliseconds: its cores x its price."""

    start: datetime
    end: datetime
    charge_per_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReservedHour:
    """A started hour of a reservation. `used` is the usage that counts for it and for no other hour."""

    reservation_id: int
    start: datetime
    minimum: int
    used: int
    top_up: int

    @property
    def end(self) -> datetime:
        """Until then usage may still be added to it."""
        return self.start + timedelta(hours=1)


@dataclass(slots=True)
class _Hour:
    """An hour that is being filled with usage. Times are milliseconds since the epoch."""

    reserved: Reserved
    start: int
    used: int = 0

    @property
    def end(self) -> int:
        return self.start + MS_PER_HOUR

    @property
    def missing(self) -> int:
        return max(0, self.reserved.minimum_per_hour - self.used)


def minimum_per_hour(*, cores: int, price_micros: int) -> int:
    """The charge of an hour of so many reserved cores, at so many micro-dollars per reserved core-hour."""
    return charge_of(run_ms=MS_PER_HOUR, cores=cores, price_micros=price_micros)


def started_hours(*, start: datetime, end: datetime) -> int:
    """How many hours are paid from the first moment to the last: at least one, however short it was.

    An end before the start comes from a clock that was set back, and counts as none.
    """
    return max(1, -(-(_ms(end) - _ms(start)) // MS_PER_HOUR))


def reserved_hours(
    reservations: Sequence[Reserved], usage: Sequence[Span], *, rule: Rule, until: datetime
) -> list[ReservedHour]:
    """Every reserved hour that has started before `until`, in the order of time.

    Reservations and usage are those of one account and one core type. Each bit of usage counts for one hour only:
    of those it falls into, for the one that ends first and has not yet its minimum. An hour that was paid in full
    takes usage to its end, even when its cores were released before. Usage after `until` is not known yet.
    """
    hours = sorted(
        (hour for reserved in reservations for hour in _hours_of(reserved, until)),
        key=lambda hour: (hour.start, hour.reserved.id),
    )
    _fill(hours, usage, until=_ms(until))
    return [_priced(hour, rule) for hour in hours]


def _ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch, so that parts of a run add up to all of it."""
    return (moment - EPOCH) // MS


def _hours_of(reserved: Reserved, until: datetime) -> Iterator[_Hour]:
    start = _ms(reserved.start)
    last = until if reserved.end is None else reserved.end
    for number in range(started_hours(start=reserved.start, end=last)):
        hour = start + number * MS_PER_HOUR
        if hour >= _ms(until):
            return
        yield _Hour(reserved, hour)


def _priced(hour: _Hour, rule: Rule) -> ReservedHour:
    minimum = hour.reserved.minimum_per_hour
    return ReservedHour(
        reservation_id=hour.reserved.id,
        start=EPOCH + hour.start * MS,
        minimum=minimum,
        used=hour.used,
        top_up=minimum if rule is Rule.FEE else hour.missing,
    )


def _fill(hours: Sequence[_Hour], usage: Sequence[Span], *, until: int) -> None:
    """Pour the usage into the hours, one stretch of time after another in which neither changes."""
    changes = sorted(_changes(usage, until))
    moments = sorted({moment for moment, _ in changes} | {edge for hour in hours for edge in (hour.start, hour.end)})
    active: list[_Hour] = []
    rate = next_change = next_hour = 0
    for begin, end in pairwise(moments):
        while next_change < len(changes) and changes[next_change][0] <= begin:
            rate += changes[next_change][1]
            next_change += 1
        active = [hour for hour in active if hour.end > begin]
        while next_hour < len(hours) and hours[next_hour].start <= begin:
            active.append(hours[next_hour])
            next_hour += 1
        if rate and active:
            _pour(active, rate * (end - begin))


def _changes(usage: Sequence[Span], until: int) -> Iterator[tuple[int, int]]:
    """When the charge per millisecond changes, and by how much. A run of no or negative length changes nothing."""
    for span in usage:
        start, end = _ms(span.start), min(_ms(span.end), until)
        if start < end:
            yield start, span.charge_per_ms
            yield end, -span.charge_per_ms


def _pour(active: Sequence[_Hour], charge: int) -> None:
    """What is more than all of them need is shown with the one that ends first."""
    in_turn = sorted(active, key=attrgetter("end"))
    for hour in in_turn:
        part = min(charge, hour.missing)
        hour.used += part
        charge -= part
    in_turn[0].used += charge
