"""What the next hour is expected to bring: crons exactly, habits as far as they go, and what came beside it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crons.models import Cron
from crons.services import change
from jobs.models import UsageRecord
from realtime.models import ForecastHour, LoadHour
from realtime.selectors.forecast import hours_of
from realtime.selectors.load_to_come import cron_runs, habitual_loads
from realtime.services.foresee import Foresight, look_ahead, write_forecast
from realtime.services.learn import learn
from realtime.services.loads import forget_loads
from tests.crons.making import make
from tests.submitting import claim, finish, run_all, submit

pytestmark = pytest.mark.usefixtures("base_environment")
NOON = datetime(2031, 3, 5, 12, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)


def cron(account: Any, label: str, schedule: str, *, next_at: datetime, **fields: Any) -> None:
    made = make(account, label, schedule, **fields)
    Cron.objects.filter(pk=made.pk).update(next_at=next_at)


def known(account: Any, *, seconds: float) -> None:
    """A run of the function that crons of tests run."""
    submit(account)
    run_all(account, run_ms=int(seconds * 1000))
    learn()


def load(account: Any, *moments: datetime, seconds: float = 600.0, **fields: Any) -> None:
    for moment in moments:
        LoadHour.objects.create(
            account=account, hour=moment, core_ms=int(seconds * 1000), **({"core_type_id": "c1", "runs": 1} | fields)
        )


# -- crons -------------------------------------------------------------------------------------


def test_every_run_of_a_cron_is_foreseen(alice: Any) -> None:
    known(alice, seconds=30)
    cron(alice, "tick", "*/10 * * * *", next_at=NOON + timedelta(minutes=10))
    runs = list(cron_runs(NOON, NOON + HOUR))
    assert [run.at.minute for run in runs] == [10, 20, 30, 40, 50, 0]
    assert {(run.core_type, run.seconds, run.cores) for run in runs} == {("c1", 30.0, 1)}


def test_crons_that_are_alike_are_taken_together(alice: Any, bob: Any) -> None:
    for account in (alice, bob):
        known(account, seconds=30)
        cron(account, "tick", "30 12 * * *", next_at=NOON + HOUR / 2)
    [both] = cron_runs(NOON, NOON + HOUR)
    assert both.cores == 2


def test_paused_crons_are_not_foreseen(alice: Any) -> None:
    cron(alice, "tick", "* * * * *", next_at=NOON)
    change.pause(account=alice, label="tick")
    assert list(cron_runs(NOON, NOON + HOUR)) == []


def test_busy_cores_of_crons(alice: Any) -> None:
    known(alice, seconds=150)
    cron(alice, "tick", "*/5 * * * *", next_at=NOON + timedelta(minutes=5))
    expected = look_ahead(NOON)["c1"]
    # One of 150 s begins in each slice of 300 s, from the second one on.
    assert expected[:4] == pytest.approx((0.0, 0.5, 0.5, 0.5))


# -- habits ------------------------------------------------------------------------------------


def test_what_comes_every_week_is_expected(alice: Any) -> None:
    alice.date_joined = NOON - timedelta(weeks=20)
    alice.save()
    load(alice, *(NOON - timedelta(weeks=n) for n in range(1, 6)))
    assert habitual_loads(NOON) == pytest.approx({"c1": 600.0}, rel=0.2)
    assert sum(habitual_loads(NOON + HOUR).values()) == 0
    assert sum(habitual_loads(NOON + timedelta(days=1)).values()) == 0


def test_what_came_once_is_not(alice: Any) -> None:
    load(alice, NOON - timedelta(days=1), seconds=1e6)
    assert sum(habitual_loads(NOON).values()) == 0


def test_habits_of_a_new_account_count_from_its_fourth_day(alice: Any) -> None:
    alice.date_joined = NOON - timedelta(days=3)
    alice.save()
    load(alice, *(NOON - timedelta(days=n) for n in (1, 2)))
    assert sum(habitual_loads(NOON).values()) == 0
    load(alice, NOON - timedelta(days=3))
    assert habitual_loads(NOON)["c1"] == pytest.approx(600.0)


def test_habits_keep_to_the_clock_on_the_wall(alice: Any) -> None:
    alice.time_zone, alice.date_joined = "Europe/Berlin", NOON - timedelta(weeks=20)
    alice.save()
    # Nine in the morning in Berlin: 8 h UTC in winter, 7 h UTC after the night of 30 March 2031.
    first = datetime(2031, 3, 31, 7, tzinfo=UTC)
    load(alice, *(datetime(2031, 3, day, 8, tzinfo=UTC) for day in (24, 25, 26, 27, 28, 29, 30) if day < 30))
    load(alice, datetime(2031, 3, 30, 7, tzinfo=UTC))
    assert habitual_loads(first)["c1"] > 0
    assert sum(habitual_loads(first + HOUR).values()) == 0


def test_crons_are_no_habits(alice: Any) -> None:
    load(alice, *(NOON - timedelta(weeks=n) for n in range(1, 6)), of_crons=True)
    assert sum(habitual_loads(NOON).values()) == 0


def test_habits_are_spread_over_their_hour(alice: Any) -> None:
    alice.date_joined = NOON - timedelta(days=3)
    alice.save()
    load(alice, *(NOON - timedelta(days=n) for n in (1, 2, 3)), seconds=7200)
    expected = look_ahead(NOON - timedelta(minutes=15))["c1"]
    assert expected[:3] == (0.0, 0.0, 0.0)
    assert expected[3:15] == pytest.approx((2.0,) * 12)
    assert expected[15:] == (0.0, 0.0, 0.0)


# -- what is kept ------------------------------------------------------------------------------


def test_the_next_hour_is_written_down_and_mended_until_it_begins(alice: Any) -> None:
    known(alice, seconds=30)
    write_forecast(NOON)
    assert set(ForecastHour.objects.values_list("core_type", flat=True)) == {"c1", "c2", "f2", "m1", "s1"}
    cron(alice, "tick", "0,59 12 * * *", next_at=NOON)
    write_forecast(NOON)
    found = ForecastHour.objects.get(core_type="c1")
    assert (found.hour, found.cron_core_ms) == (NOON, 60_000)


def test_what_runs_beyond_the_hour_counts_within_it(alice: Any) -> None:
    known(alice, seconds=600)
    cron(alice, "late", "59 12 * * *", next_at=NOON + timedelta(minutes=59))
    write_forecast(NOON)
    assert ForecastHour.objects.get(core_type="c1").cron_core_ms == 60_000


def test_a_look_ahead_is_good_for_a_minute(alice: Any) -> None:
    foresight = Foresight()
    assert foresight.expected(NOON) == {}
    cron(alice, "tick", "* * * * *", next_at=NOON)
    assert foresight.expected(NOON + timedelta(seconds=59)) == {}
    assert "c1" in foresight.expected(NOON + timedelta(seconds=60))
    # A clock that was set back.
    assert "c1" in foresight.expected(NOON - timedelta(seconds=5))


def test_load_is_added_up_by_hour(alice: Any) -> None:
    submit(alice, count=2)
    run_all(alice, run_ms=1500)
    submit(alice, options={"label": "cron_tick"})
    run_all(alice, run_ms=1000)
    assert learn() == 3
    rows = LoadHour.objects.order_by("of_crons").values_list("of_crons", "runs", "core_ms")
    assert list(rows) == [(False, 2, 3000), (True, 1, 1000)]
    submit(alice)
    run_all(alice, run_ms=500)
    learn()
    assert LoadHour.objects.get(of_crons=False).core_ms == 3500


def test_of_a_long_run_counts_what_lies_in_its_hour(alice: Any) -> None:
    submit(alice, options={"type": "c2", "cores": 4})
    found = claim(alice, core_type="c2", cores=4)
    assert found
    finish(found, run_ms=10 * 3_600_000)
    UsageRecord.objects.update(started_at=NOON + timedelta(minutes=45))
    learn()
    row = LoadHour.objects.get()
    assert (row.hour, row.core_ms) == (NOON, 15 * 60_000 * 4)


def test_old_loads_are_forgotten(alice: Any) -> None:
    load(alice, NOON)
    ForecastHour.objects.create(core_type_id="c1", hour=NOON)
    assert forget_loads(NOON + timedelta(weeks=9)) == 0
    assert forget_loads(NOON + timedelta(weeks=11)) == 2


def test_hours_of_the_page(alice: Any) -> None:
    load(alice, NOON, seconds=1800)
    load(alice, NOON, seconds=900, core_type_id="c2")
    ForecastHour.objects.create(core_type_id="c1", hour=NOON + HOUR, cron_core_ms=3_600_000)
    hours = hours_of(NOON + timedelta(minutes=20))
    assert (len(hours), hours[0].begins_at) == (26, NOON - 24 * HOUR)
    this, following = hours[-2:]
    assert (this.came, this.expected, this.is_running) == (0.75, None, True)
    assert (following.came, following.expected) == (None, 1.0)
    assert timezone.is_aware(following.begins_at)


def test_zone_that_is_not_known_any_more_is_utc(alice: Any) -> None:
    alice.time_zone = "Europe/Atlantis"
    alice.save()
    load(alice, *(NOON - timedelta(days=day) for day in range(1, 15)))
    alice.date_joined = NOON - timedelta(days=60)
    alice.save()
    assert habitual_loads(NOON)["c1"] > 0
