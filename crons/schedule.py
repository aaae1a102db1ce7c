"""When a schedule fires: pure time, without a database. docs/explanation/crons.md has the rules in words.

A schedule is read on the wall clock of its zone. One with a fixed time runs once for each time it names: in a
missing hour at the first minute that exists, in a repeated hour in its first pass. One that names an interval (its
minute or hour begins with *) runs at each matching minute that clocks really show, in both passes of an hour.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crons.fields import bad_schedule, numbers_of, split_schedule
from crons.words import describe
from crons.zones import DAY, exists, is_plain, offset_change, zone_of

MINUTE_STEP = timedelta(minutes=1)
# In a common year and in a leap year: February has its 29th in one of them.
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# A 29 February on a given weekday comes after 40 years at the latest.
FARTHEST_YEARS = 41


class Upcoming(NamedTuple):
    """A run to come. `forward` is by how much the clocks of its zone go forward on its day, mostly zero."""

    at: datetime
    local: datetime
    forward: timedelta


@dataclass(frozen=True)
class Schedule:
    """A schedule that has been understood, in a zone."""

    text: str
    timezone: str
    fields: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # as date.weekday counts: Monday is 0

    @classmethod
    def parse(cls, schedule: str | Sequence[object], timezone: str = "UTC") -> "Schedule":
        """Raises Refused, with the reason, for anything but five Unix fields or a name, and for what never fires."""
        text, fields = split_schedule(schedule)
        return _parsed(text, fields, timezone)

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_of(self.timezone)

    @cached_property
    def is_interval(self) -> bool:
        """Whether it names an interval rather than fixed times."""
        return self.fields[0].startswith("*") or self.fields[1].startswith("*")

    @cached_property
    def words(self) -> str:
        """The schedule in English, without its zone."""
        return describe(self.fields, either_day=not self._both_days)

    @cached_property
    def _both_days(self) -> bool:
        """A day field that begins with * restricts nothing by itself; when neither does, one of them is enough."""
        return self.fields[2].startswith("*") or self.fields[4].startswith("*")

    def fires_on(self, day: date) -> bool:
        """Whether the day of the wall clock is one of the schedule's."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.weekday() in self.weekdays
        return by_month and by_week if self._both_days else by_month or by_week

    def next_after(self, moment: datetime) -> datetime | None:
        """The first instant after the moment, in UTC; None when there is none till the end of the calendar."""
        today = moment.astimezone(self.zone).date()
        if is_plain(today, self.zone) and self.fires_on(today):
            found = self._first_on_plain(today, moment)
            if found is not None:
                return found
        # A day earlier: where clocks go back over midnight, yesterday's hours come again.
        yesterday = today - DAY
        best: datetime | None = None
        first_day = yesterday
        for day in self._days_from(yesterday):
            if best is not None and day - first_day > DAY:
                break
            found = self._first_on(day, moment)
            if found is not None and best is None:
                best, first_day = found, day
            elif found is not None and best is not None:
                best = min(best, found)
            if best is not None and is_plain(day, self.zone):
                break
        return best

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All instants after the moment."""
        while (found := self.next_after(moment)) is not None:
            yield found
            moment = found

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants after `start` and up to `end`, inclusive."""
        for found in self.after(start):
            if found > end:
                return
            yield found

    def count(self, start: datetime, end: datetime) -> int:
        """How many instants `between` has, without going through all of them."""
        total, changed = 0, set[datetime]()
        last = end.astimezone(self.zone).date() + DAY
        for day in self._days_from(start.astimezone(self.zone).date() - DAY):
            if day > last:
                break
            if is_plain(day, self.zone):
                total += self._passed(day, end) - self._passed(day, start)
            else:
                changed.update(_instants(self, day))
        return total + sum(start < at <= end for at in changed)

    def _passed(self, day: date, moment: datetime) -> int:
        """How many of the times of a plain day have come at the moment."""
        minutes = (moment - self._midnight(day)) // MINUTE_STEP
        if not 0 <= minutes < 24 * 60:
            return len(self.hours) * len(self.minutes) if minutes > 0 else 0
        hour, minute = divmod(minutes, 60)
        whole = bisect_left(self.hours, hour) * len(self.minutes)
        return whole + (bisect_right(self.minutes, minute) if hour in self.hours else 0)

    def latest(self, since: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """The last `limit` instants after `since` and up to `until`, oldest first."""
        window = timedelta(hours=2)
        while True:
            start = max(since, until - window)
            found = list(self.between(start, until))
            if len(found) >= limit or start == since:
                return found[-limit:]
            window *= 6

    def upcoming(self, moment: datetime, *, number: int) -> list[Upcoming]:
        """The next instants, as they read on the wall clock."""
        found = []
        for at, _ in zip(self.after(moment), range(number), strict=False):
            local = at.astimezone(self.zone)
            found.append(Upcoming(at, local, offset_change(local.date(), self.zone)))
        return found

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def _days_from(self, day: date) -> Iterator[date]:
        """Days of the schedule from a day on."""
        last_year = min(day.year + FARTHEST_YEARS, date.max.year - 1)
        while day.year <= last_year:
            if day.month not in self.months:
                day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
                continue
            if self.fires_on(day):
                yield day
            day += DAY

    def _first_on(self, day: date, moment: datetime) -> datetime | None:
        """The first instant of a day's times that is after the moment."""
        if is_plain(day, self.zone):
            return self._first_on_plain(day, moment)
        instants = _instants(self, day)
        place = bisect_right(instants, moment)
        return instants[place] if place < len(instants) else None

    def _first_on_plain(self, day: date, moment: datetime) -> datetime | None:
        midnight = self._midnight(day)
        last = midnight + timedelta(hours=self.hours[-1], minutes=self.minutes[-1])
        if last <= moment:
            return None
        least = max(0, (moment - midnight) // MINUTE_STEP + 1)
        hour, minute = divmod(least, 60)
        place = bisect_left(self.hours, hour)
        if self.hours[place] == hour and self.minutes[-1] >= minute:
            return midnight + timedelta(hours=hour, minutes=self.minutes[bisect_left(self.minutes, minute)])
        place += self.hours[place] == hour
        return midnight + timedelta(hours=self.hours[place], minutes=self.minutes[0])


@lru_cache(maxsize=256)
def _instants(schedule: Schedule, day: date) -> list[datetime]:
    """All instants of a day on which, or beside which, clocks are changed, in their order."""
    found = set()
    for hour in schedule.hours:
        for minute in schedule.minutes:
            local = datetime.combine(day, time(hour, minute), tzinfo=schedule.zone)
            if not exists(local):
                if schedule.is_interval:
                    continue
                while not exists(local):
                    local += MINUTE_STEP
            found.add(local.astimezone(UTC))
            if schedule.is_interval:
                # The second pass of a repeated hour; elsewhere the same instant again.
                found.add(local.replace(fold=1).astimezone(UTC))
    return sorted(found)


@lru_cache(maxsize=16_384)
def known_schedule(text: str, timezone: str) -> Schedule:
    """A schedule that was accepted before. Raises Refused when it or its zone is not known any more."""
    return Schedule.parse(text, timezone)


@lru_cache(maxsize=4096)
def _parsed(text: str, fields: tuple[str, ...], timezone: str) -> Schedule:
    zone_of(timezone)
    minutes, hours, days, months, weekdays = numbers_of(fields)
    schedule = Schedule(
        text=text,
        timezone=timezone,
        fields=fields,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        # Sunday is 0 there, or 7 among all days, and 6 here.
        weekdays=frozenset((number - 1) % 7 for number in weekdays),
    )
    if schedule.next_after(_ANY_MOMENT) is None:
        longest = max(LONGEST_MONTHS[month - 1] for month in months)
        raise bad_schedule(
            f"The schedule {text!r} never fires: day {min(schedule.days)} does not come in its months, "
            f"which have {longest} days at most."
        )
    return schedule


_ANY_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
