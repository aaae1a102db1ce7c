"""Months of a bill. They begin and end at midnight UTC, for everybody."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from common.exceptions import Refused

_TEXT = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, order=True)
class Month:
    """A month, by its first day."""

    first: date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def words(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def start(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The moment after it."""
        return self.following.start

    @property
    def last_hour(self) -> datetime:
        """The beginning of its last hour."""
        return self.end - timedelta(hours=1)

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.end - timedelta(days=1)).date()

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.last.day)]

    @property
    def following(self) -> "Month":
        return Month((self.first + timedelta(days=32)).replace(day=1))

    @property
    def before(self) -> "Month":
        return Month((self.first - timedelta(days=1)).replace(day=1))


def month_of(moment: datetime) -> Month:
    return Month(moment.astimezone(UTC).date().replace(day=1))


def parse_month(text: str) -> Month:
    """A month out of YYYY-MM. Raises Refused for anything else, and for one that no calendar here has."""
    found = _TEXT.fullmatch(text) if text.isascii() else None
    if found:
        year, month = int(found[1]), int(found[2])
        # Neighbours of the first and last month are looked at too.
        if 1 < year < 9999 and 1 <= month <= 12:
            return Month(date(year, month, 1))
    raise Refused("bad_month", f"A month is written as 2026-11, not {text[:40]!r}.")
