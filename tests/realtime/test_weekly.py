"""Windows of a week, on wall clocks that jump."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.weekly import Stretch, Weekly, days_in_words


def weekly(days: str = "01234", begins: str = "09:00", ends: str = "18:00", zone: str = "Europe/Berlin") -> Weekly:
    return Weekly(
        weekdays=frozenset(map(int, days)),
        begins=time.fromisoformat(begins),
        ends=time.fromisoformat(ends),
        timezone=zone,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "start", "end"),
    [
        # Before, within, at the end of a Friday, and on a Saturday.
        (weekly(), "2026-11-27 07:00", "2026-11-27 08:00", "2026-11-27 17:00"),
        (weekly(), "2026-11-27 12:00", "2026-11-27 08:00", "2026-11-27 17:00"),
        (weekly(), "2026-11-27 17:00", "2026-11-30 08:00", "2026-11-30 17:00"),
        (weekly(), "2026-11-28 12:00", "2026-11-30 08:00", "2026-11-30 17:00"),
        # Over midnight, after which it still lasts.
        (weekly("4", "22:00", "06:00"), "2026-11-28 03:00", "2026-11-27 21:00", "2026-11-28 05:00"),
        # Summer: the same wall clock is another moment.
        (weekly(), "2026-07-01 00:00", "2026-07-01 07:00", "2026-07-01 16:00"),
        # 02:30 is left out on 29 March 2026: clocks show 03:30 instead.
        (weekly("6", "02:30", "05:00"), "2026-03-28 12:00", "2026-03-29 01:30", "2026-03-29 03:00"),
        (weekly("0", "09:00", "18:00", "Asia/Tokyo"), "2026-11-27 12:00", "2026-11-30 00:00", "2026-11-30 09:00"),
    ],
)
def test_next_stretch(window: Weekly, moment: str, start: str, end: str) -> None:
    assert window.after(at(moment)) == Stretch(at(start), at(end))


CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
WINDOWS = st.builds(
    Weekly,
    weekdays=st.frozensets(st.integers(min_value=0, max_value=6), min_size=1),
    begins=CLOCKS,
    ends=CLOCKS,
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
).filter(lambda window: window.begins != window.ends)
MOMENTS = st.integers(min_value=0, max_value=8 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(WINDOWS, MOMENTS)
def test_stretches_follow_each_other_and_are_never_over(window: Weekly, moment: datetime) -> None:
    stretch = window.after(moment)
    assert stretch.start < stretch.end
    assert stretch.end > moment
    assert stretch.end - stretch.start <= timedelta(hours=25)
    later = window.after(stretch.end)
    assert later.start > stretch.start
    assert later.start - stretch.start <= timedelta(days=15)
    assert stretch.start.astimezone(window.zone).weekday() in window.weekdays


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("01234", "Monday to Friday"),
        ("0123456", "Every day"),
        ("56", "Saturday, Sunday"),
        ("024", "Monday, Wednesday, Friday"),
    ],
)
def test_in_words(days: str, words: str) -> None:
    assert days_in_words(frozenset(map(int, days))) == words
