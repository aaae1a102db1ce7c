"""When schedules fire, night by night, and what is refused with which sentence."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from common.exceptions import Refused
from crons.schedule import Schedule
from crons.zones import zone_of


def local_runs(schedule: Any, zone: str, start: str, number: int) -> list[str]:
    """The next instants after a wall-clock time, as clocks of the zone show them."""
    moment = datetime.fromisoformat(start).replace(tzinfo=zone_of(zone)).astimezone(UTC)
    found = islice(Schedule.parse(schedule, zone).after(moment), number)
    return [f"{at.astimezone(zone_of(zone)):%m-%d %H:%M%z}" for at in found]


# Berlin: on 29 March 2026 clocks go from 02:00 to 03:00, on 25 October from 03:00 back to 02:00.
def test_fixed_time_in_the_missing_hour_runs_at_the_first_minute_that_exists() -> None:
    found = local_runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", 3)
    assert found == ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"]


def test_fixed_time_in_the_repeated_hour_runs_in_its_first_pass() -> None:
    found = local_runs("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00", 3)
    assert found == ["10-24 02:30+0200", "10-25 02:30+0200", "10-26 02:30+0100"]


def test_two_runs_that_land_on_one_instant_are_one() -> None:
    found = local_runs("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00", 4)
    assert found == ["03-29 03:00+0200", "03-29 03:30+0200", "03-30 02:00+0200", "03-30 02:30+0200"]


def test_interval_goes_on_through_the_missing_hour() -> None:
    found = local_runs("*/30 * * * *", "Europe/Berlin", "2026-03-29T01:00", 3)
    assert found == ["03-29 01:30+0100", "03-29 03:00+0200", "03-29 03:30+0200"]


def test_interval_runs_in_both_passes_of_the_repeated_hour() -> None:
    found = local_runs("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:30", 5)
    assert found == [
        "10-25 02:00+0200", "10-25 02:30+0200", "10-25 02:00+0100", "10-25 02:30+0100", "10-25 03:00+0100",
    ]  # fmt: skip


def test_hours_that_begin_with_a_star_are_an_interval() -> None:
    found = local_runs("15 */2 * * *", "Europe/Berlin", "2026-10-25T00:30", 3)
    assert found == ["10-25 02:15+0200", "10-25 02:15+0100", "10-25 04:15+0100"]


def test_midnight_that_is_missing_runs_at_one() -> None:
    # Havana: on 8 March 2026 clocks go from 00:00 to 01:00.
    found = local_runs("0 0 * * *", "America/Havana", "2026-03-07T12:00", 2)
    assert found == ["03-08 01:00-0400", "03-09 00:00-0400"]


def test_half_hour_changes() -> None:
    # Lord Howe: on 4 October 2026 clocks go from 02:00 to 02:30.
    found = local_runs("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2)
    assert found == ["10-04 02:30+1100", "10-05 02:10+1100"]


def test_day_that_a_zone_left_out_runs_when_the_next_one_begins() -> None:
    # Samoa went from 29 to 31 December 2011.
    found = local_runs("0 12 * * *", "Pacific/Apia", "2011-12-29T13:00", 2)
    assert found == ["12-31 00:00+1400", "12-31 12:00+1400"]
    assert local_runs("0 * * * *", "Pacific/Apia", "2011-12-29T22:30", 2) == ["12-29 23:00-1000", "12-31 00:00+1400"]


def test_zone_that_moves_keeps_the_wall_clock() -> None:
    # Pyongyang moved by half an hour on 4 May 2018, at 23:30.
    found = local_runs("0 9 * * *", "Asia/Pyongyang", "2018-05-04T00:00", 2)
    assert found == ["05-04 09:00+0830", "05-05 09:00+0900"]


def test_interval_in_hours_that_come_again_over_midnight() -> None:
    # Nuuk: on 26 October 2024 clocks went from 00:00 of the next day back to 23:00.
    found = local_runs("0,45 * * * *", "America/Nuuk", "2024-10-26T22:50", 5)
    assert [text[:11] for text in found] == ["10-26 23:00", "10-26 23:45", "10-26 23:00", "10-26 23:45", "10-27 00:00"]


def test_leap_days() -> None:
    assert local_runs("0 0 29 2 *", "UTC", "2096-03-01T00:00", 1) == ["02-29 00:00+0000"]
    found = Schedule.parse("0 0 29 2 *").next_after(datetime(2096, 3, 1, tzinfo=UTC))
    assert found == datetime(2104, 2, 29, tzinfo=UTC)  # 2100 has no leap day
    # */7 begins with a star: both days must be right, so Sundays that are leap days.
    found = Schedule.parse("0 0 29 2 */7").next_after(datetime(2080, 1, 1, tzinfo=UTC))
    assert found == datetime(2088, 2, 29, tzinfo=UTC)
    found = Schedule.parse("0 0 29 2 */7").next_after(found)
    assert found == datetime(2128, 2, 29, tzinfo=UTC)


def test_either_day_is_enough_when_both_are_restricted() -> None:
    # The 13th or a Friday, as in Unix.
    assert local_runs("0 0 13 * 5", "UTC", "2026-11-01T00:00", 3) == [
        "11-06 00:00+0000", "11-13 00:00+0000", "11-20 00:00+0000",
    ]  # fmt: skip
    assert local_runs("0 0 */2 * 5", "UTC", "2026-11-01T00:00", 2) == ["11-13 00:00+0000", "11-27 00:00+0000"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0 0 * * 0", "0 0 * * 7"), ("0 0 * * sun", "0 0 * * 0"), ("0 0 * * fri-sun", "0 0 * * 5,6,0"),
        ("0 0 * * Mon-FRI", "0 0 * * 1-5"), ("0 0 * jan,Mar-may/2 *", "0 0 * 1,3,5 *"), ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"), ("@ANNUALLY", "0 0 1 1 *"), ("5/20 * * * *", "5,25,45 * * * *"),
        ("  0\t0  * * *  ", "0 0 * * *"), ((0, "12", "*", "*", "mon"), "0 12 * * 1"),
        (["*/5", "*", "*", "*", "*"], "*/5 * * * *"), ("00 09 * * 01", "0 9 * * 1"), ("0 0 * * 0-0", "0 0 * * 0"),
    ],
)  # fmt: skip
def test_two_ways_to_say_the_same(one: Any, other: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert list(islice(Schedule.parse(one).after(start), 20)) == list(islice(Schedule.parse(other).after(start), 20))


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("* * * * * *", "6 fields"), ("0 0 * * * * 2026", "7 fields"), ("* * * *", "4 fields"), ("", "0 fields"),
        ("H * * * *", "hashed"), ("R * * * *", "random"), ("H(0-29) * * * *", "hashed"), ("0 0 L * *", "L, W"),
        ("0 0 15W * *", "L, W"), ("0 0 * * 5#2", "L, W"), ("0 0 ? * 1", "L, W"), ("60 * * * *", "60"),
        ("* 24 * * *", "24"), ("0 0 0 * *", "between 1 and 31"), ("0 0 * 13 *", "13"), ("0 0 * * 8", "8"),
        ("*/0 * * * *", "step"), ("*/-5 * * * *", "step"), ("5-1 * * * *", "backwards"), ("1,,2 * * * *", "nothing"),
        ("a * * * *", "'a'"), ("0 0 * * mo", "'mo'"), ("0 0 30 2 *", "never fires"), ("0 0 31 2,4,6,9,11 *", "never"),
        ("0 0 31 4 */2", "never fires"), ("@reboot", "@reboot"), ("@often", "@often"), ("١ * * * *", "neither"),
        ("1.5 * * * *", "'1.5'"), ("*" * 300, "300 characters"),
        ("*-5 * * * *", "'*'"), (("*", "* *", "*", "*", "*"), "space"),
        (("*", "", "*", "*", "*"), "empty"), ((), "0 fields"), ("0 0 * * 5-0", "backwards"), ("+5 * * * *", "'+5'"),
        ("0 0 31 4 *\x00", "neither"),
    ],
)  # fmt: skip
def test_refused_with_the_reason(schedule: Any, why: str) -> None:
    with pytest.raises(Refused) as refusal:
        Schedule.parse(schedule)
    assert refusal.value.code == "bad_schedule"
    assert why in refusal.value.message


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"), ("europe/berlin", "did you mean Europe/Berlin?"), ("", "IANA"),
        ("../../etc/passwd", "IANA"), ("/etc/localtime", "IANA"), ("Europe", "no time zone"), ("+01:00", "IANA"),
        ("CEST", "no time zone"), ("x" * 10_000, "IANA"), ("Europe/Berlin\n", "did you mean"), ("localtime", "no time"),
    ],
)  # fmt: skip
def test_unknown_zones_are_refused(zone: str, why: str) -> None:
    with pytest.raises(Refused) as refusal:
        Schedule.parse("* * * * *", zone)
    assert refusal.value.code == "unknown_zone"
    assert why in refusal.value.message


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("* * * * *", "Every minute"), ("@daily", "Every day at 00:00"),
        ("0 9 * * mon-fri", "At 09:00, Monday through Friday"),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        ("0 0 */2 * 5", "At 00:00, every 2 days, and on Friday"),
    ],
)  # fmt: skip
def test_words(schedule: str, words: str) -> None:
    assert Schedule.parse(schedule).words == words


@pytest.mark.parametrize("schedule", ["* * * * *", "30 2 * * *", "*/7 */5 * * 1-5", "0 0 29 2 *", "15,45 1-3 */2 * *"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
def test_count_is_the_number_of_instants(schedule: str, zone: str) -> None:
    parsed = Schedule.parse(schedule, zone)
    for start in (datetime(2026, 3, 22, 5, 17, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)):
        for days in (0.01, 3, 9):
            end = start + timedelta(days=days)
            assert parsed.count(start, end) == len(list(parsed.between(start, end)))


def test_latest_are_the_last_ones() -> None:
    parsed = Schedule.parse("*/5 * * * *")
    end = datetime(2026, 11, 27, 9, 2, tzinfo=UTC)
    found = parsed.latest(end - timedelta(days=300), end, limit=3)
    assert [f"{at:%H:%M}" for at in found] == ["08:50", "08:55", "09:00"]
    assert parsed.latest(end - timedelta(minutes=7), end, limit=3) == found[2:]
