"""The five fields of a schedule: from text to sets of numbers, or a sentence that says what is wrong.

croniter turns a field into numbers. It takes much that Unix does not (six fields, random and hashed ones, ranges that
run backwards), so each field is looked at here first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from croniter import croniter

from common.exceptions import Refused

MAX_TEXT = 200  # characters of a schedule
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_SINGLE_RANGE = re.compile(r"\b([0-9]+)-\1(/[0-9]+)?(?=,|$)")


@dataclass(frozen=True, slots=True)
class Field:
    """What may stand in one place of a schedule."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def plain(self, text: str) -> str:
        """The field as croniter takes it. Raises Refused for what is no Unix schedule."""
        if not text:
            raise self._wrong(text, "it is empty")
        return ",".join(self._part(text, part) for part in text.split(","))

    def _part(self, text: str, part: str) -> str:
        span, slash, step = part.partition("/")
        if slash and (not _NUMBER.fullmatch(step) or int(step) == 0):
            raise self._wrong(text, f"the step {step!r} is no number above 0")
        return self._span(text, span, is_stepped=bool(slash)) + slash + step

    def _span(self, text: str, span: str, *, is_stepped: bool) -> str:
        if span == "*":
            return span
        begin, dash, end = span.partition("-")
        first = self._number(text, begin)
        if not dash:
            # 5/15 counts from 5 to the end; which end of a week that is, libraries do not agree on.
            return f"{first}-{self.high}" if is_stepped else str(first)
        last = self._number(text, end)
        if end.lower() == "sun":
            last = 7 if first else 0  # Sunday ends a week as well: fri-sun
        if last < first:
            raise self._wrong(text, f"the range {span} runs backwards")
        return f"{first}-{last}"

    def _number(self, text: str, word: str) -> int:
        if word.lower() in self.names:
            return self.names.index(word.lower()) + (self.low if self.names is MONTHS else 0)
        if not _NUMBER.fullmatch(word):
            raise self._wrong(text, f"{word!r} is {_puzzle(word)}")
        number = int(word)
        if not self.low <= number <= self.high:
            raise self._wrong(text, f"{number} is not between {self.low} and {self.high}")
        return number

    def _wrong(self, text: str, why: str) -> Refused:
        return bad_schedule(f"The {self.name} field {text!r} cannot be read: {why}.")


def bad_schedule(sentence: str) -> Refused:
    return Refused("bad_schedule", sentence)


def _puzzle(word: str) -> str:
    if not word:
        return "nothing, where a number belongs"
    if word[:1].upper() in ("H", "R") and word.lower() not in MONTHS + DAYS:
        return "no number; random and hashed fields are not taken: write the time that you want"
    if re.search(r"[LW#?]", word.upper()):
        return "no number; L, W, # and ? are not part of Unix schedules"
    return "neither a number nor a name"


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY_OF_MONTH = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
DAY_OF_WEEK = Field("day of week", 0, 7, DAYS)
FIELDS = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)


def numbers_of(fields: Sequence[str]) -> list[frozenset[int]]:
    """The numbers that each of the five fields stands for; Sunday is 0. Raises Refused."""
    plain = [field.plain(text) for field, text in zip(FIELDS, fields, strict=True)]
    expanded, _ = croniter.expand(" ".join(map(_without_single_ranges, plain)))
    return [
        frozenset(range(field.low, field.high + 1) if numbers == ["*"] else map(int, numbers))
        for field, numbers in zip(FIELDS, expanded, strict=True)
    ]


def _without_single_ranges(plain: str) -> str:
    """croniter 7.0 takes a range of one number, such as 31-31, for every number there is."""
    return _SINGLE_RANGE.sub(r"\1", plain)


def split_schedule(schedule: str | Sequence[object]) -> tuple[str, tuple[str, ...]]:
    """A schedule as text in its usual form, and its five fields. Raises Refused when it has not five."""
    if isinstance(schedule, str):
        if len(schedule) > MAX_TEXT:
            raise bad_schedule(f"The schedule has {len(schedule)} characters; {MAX_TEXT} is the limit.")
        words = schedule.split()
    else:
        words = [str(field).strip() for field in schedule]
        if len(" ".join(words)) > MAX_TEXT:
            raise bad_schedule(f"The schedule has over {MAX_TEXT} characters.")
    if len(words) == 1 and words[0].startswith("@"):
        return _nickname(words[0])
    if any(len(word.split()) != 1 for word in words):
        raise bad_schedule("A field of the schedule is empty or holds a space: give five words.")
    if len(words) != len(FIELDS):
        raise bad_schedule(_count(len(words)))
    return " ".join(words), tuple(words)


def _nickname(word: str) -> tuple[str, tuple[str, ...]]:
    name = word.lower()
    if name == "@reboot":
        raise bad_schedule("@reboot is not taken: a cron runs at times, and there is nothing that it boots with.")
    if name not in NICKNAMES:
        raise bad_schedule(f"There is no schedule {word!r}; there are {', '.join(NICKNAMES)}.")
    return name, tuple(NICKNAMES[name].split())


def _count(number: int) -> str:
    what = "minute, hour, day of month, month, day of week"
    if number in (6, 7):
        return (
            f"The schedule has {number} fields, and five are taken ({what}): leave out seconds and years; "
            "a minute is the shortest period."
        )
    return f"The schedule has {number} field{'' if number == 1 else 's'}, and needs five: {what}."
