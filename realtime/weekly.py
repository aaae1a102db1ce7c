"""Hours of a week by the wall clock of a zone: when they begin and end in the time that all clocks share."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from common.exceptions import Refused
from crons.zones import zone_of

logger = logging.getLogger(__name__)

DAY = timedelta(days=1)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@lru_cache(maxsize=1024)
def zone_or_utc(name: str) -> ZoneInfo:
    """The zone of a name that was checked when it was given: UTC, said once, if zones have lost it since."""
    try:
        return zone_of(name)
    except Refused as refusal:
        logger.warning("%s UTC is taken instead.", refusal.message)
        return zone_of("UTC")


class Stretch(NamedTuple):
    """From a moment to another, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """From `begins` to `ends` on some weekdays; to the next day when the end is not after the beginning."""

    weekdays: frozenset[int]
    begins: time
    ends: time
    timezone: str

    @property
    def zone(self) -> ZoneInfo:
        return zone_or_utc(self.timezone)

    def after(self, moment: datetime) -> Stretch:
        """The first stretch that is not over at this moment; it may have begun."""
        yesterday = moment.astimezone(self.zone).date() - DAY
        # A stretch of yesterday may still last, and in the night of a change one may have no length at all.
        days = (yesterday + n * DAY for n in range(16))
        return next(
            stretch
            for day in days
            if day.weekday() in self.weekdays and (stretch := self._on(day)).end > max(moment, stretch.start)
        )

    def _on(self, day: date) -> Stretch:
        last = day if self.ends > self.begins else day + DAY
        return Stretch(self._moment(day, self.begins), self._moment(last, self.ends))

    def _moment(self, day: date, clock: time) -> datetime:
        """A time that clocks leave out on this day is the one that they show instead."""
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"{days_in_words(self.weekdays)} {self.begins:%H:%M}–{self.ends:%H:%M} {self.timezone}"


def days_in_words(weekdays: frozenset[int]) -> str:
    """Monday to Friday; Saturday, Sunday; every day."""
    days = sorted(weekdays)
    if len(days) == 7:
        return "Every day"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days)
