"""Crons that are due: each instant starts once, and the history says what became of those that passed."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.sql import fetch_all
from crons.models import Cron, CronDay, CronRun
from crons.services import change, register, ticker
from crons.services.ticker import tick
from jobs.models import Batch, Job
from tests.crons.making import add_copies, at, due, history, make
from tests.submitting import claim, finish, run_all
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("base_environment")
SUBMITTED = ("schedule", "submitted")


def test_a_due_cron_becomes_a_job_with_its_label_and_is_due_again(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    assert tick(at("10:00:00.2")) == 1
    batch = Batch.objects.get()
    assert (batch.label, batch.size, batch.received, batch.n_queued) == ("cron_tweet", 1, 1, 1)
    cron.refresh_from_db()
    assert cron.next_at == at("10:01")
    run = CronRun.objects.get()
    assert (run.jid, run.job_id, run.late_at) == (1, Job.objects.get().pk, at("10:05"))
    run_all(alice)
    assert Job.objects.get().status == "done"


def test_three_successive_minutes_make_three_jobs(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    for minute in ("10:00", "10:01", "10:02"):
        assert tick(at(f"{minute}:00.1")) == 1
        assert tick(at(f"{minute}:30")) == 0
    assert history(cron) == [("10:00", *SUBMITTED), ("10:01", *SUBMITTED), ("10:02", *SUBMITTED)]
    assert list(Job.objects.order_by("jid").values_list("jid", flat=True)) == [1, 2, 3]


def test_paused_and_later_crons_are_left_alone(alice: Any) -> None:
    due(make(alice, "later"), at("10:01"))
    make(alice, "paused")
    change.pause(account=alice, label="paused")
    assert tick(at("10:00:30")) == 0


def test_several_accounts_get_jids_of_their_own(alice: Any, bob: Any) -> None:
    for account in (alice, bob, alice):
        due(make(account, f"cron {Cron.objects.count()}"), at("10:00"))
    assert tick(at("10:00")) == 3
    assert sorted(Job.objects.values_list("account__username", "jid")) == [("alice", 1), ("alice", 2), ("bob", 1)]


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("last", [("10:00", "schedule", "missed"), ("12:00", "schedule", "submitted")]),
        ("none", [("10:00", "schedule", "missed"), ("12:00", "schedule", "submitted")]),
        (
            "all",
            [
                *(("10:00", "catch_up", "submitted"), ("11:00", "catch_up", "submitted")),
                ("12:00", "schedule", "submitted"),
            ],
        ),
    ],
)
def test_downtime_that_ends_with_a_punctual_run(alice: Any, catch_up: str, expected: Any) -> None:
    cron = due(make(alice, schedule="@hourly", catch_up=catch_up), at("10:00"))
    tick(at("12:00:01"))
    assert history(cron) == expected


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("last", [("10:00", "schedule", "missed"), ("12:00", "catch_up", "submitted")]),
        ("none", [("10:00", "schedule", "missed")]),
        (
            "all",
            [
                *(("10:00", "catch_up", "submitted"), ("11:00", "catch_up", "submitted")),
                ("12:00", "catch_up", "submitted"),
            ],
        ),
    ],
)
def test_downtime_that_ends_between_runs(alice: Any, catch_up: str, expected: Any) -> None:
    cron = due(make(alice, schedule="@hourly", catch_up=catch_up), at("10:00"))
    tick(at("12:30"))
    assert history(cron) == expected
    missed = CronRun.objects.filter(outcome="missed")
    assert sum(run.instants for run in missed) == {"last": 2, "none": 3, "all": 0}[catch_up]
    cron.refresh_from_db()
    assert cron.next_at == at("13:00")
    assert cron.state == ("new" if catch_up == "all" else "missed")


def test_a_short_absence_loses_no_run_of_one_that_does_not_catch_up(alice: Any) -> None:
    cron = due(make(alice, schedule="@daily", catch_up="none"), at("00:00"))
    tick(at("00:03"))
    assert history(cron) == [("00:00", "catch_up", "submitted")]


def test_catching_up_with_all_has_a_limit(alice: Any) -> None:
    due(make(alice, catch_up="all"), at("10:00") - timedelta(days=30))
    assert tick(at("10:00")) == 100
    missed = CronRun.objects.get(outcome="missed")
    assert missed.instants == 30 * 24 * 60 + 1 - 100
    assert sum(day.n_missed for day in CronDay.objects.all()) == missed.instants


def test_overlap_skip_waits_for_the_earlier_run(alice: Any) -> None:
    cron = due(make(alice, overlap="skip"), at("10:00"))
    tick(at("10:00"))
    claimed = claim(alice)
    tick(at("10:01"))
    assert claimed is not None
    finish(claimed)
    tick(at("10:02"))
    assert history(cron) == [("10:00", *SUBMITTED), ("10:01", "schedule", "skipped"), ("10:02", *SUBMITTED)]


def test_overlap_replace_kills_the_earlier_run_first(alice: Any) -> None:
    due(make(alice, overlap="replace"), at("10:00"))
    tick(at("10:00"))
    tick(at("10:01"))
    assert list(Job.objects.order_by("jid").values_list("status", flat=True)) == ["killed", "queued"]


def test_overlap_allow_lets_them_run_together(alice: Any) -> None:
    due(make(alice), at("10:00"))
    tick(at("10:00"))
    tick(at("10:01"))
    assert set(Job.objects.values_list("status", flat=True)) == {"queued"}


def test_clock_set_back_starts_nothing_again(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    tick(at("10:00"))
    for moment in ("09:00", "09:59:59", "10:00", "10:00:59"):
        assert tick(at(moment)) == 0
    assert tick(at("10:01")) == 1
    # Even when somebody lets it forget where it was.
    due(cron, at("10:00"))
    assert tick(at("10:00:30")) == 0
    assert len(history(cron)) == 2


def test_clock_set_forward_is_a_downtime(alice: Any) -> None:
    cron = due(make(alice, schedule="@hourly"), at("10:00"))
    tick(at("10:00"))
    tick(at("15:30"))
    tick(at("10:30"))
    tick(at("16:00"))
    runs = [("10:00", *SUBMITTED), ("11:00", "schedule", "missed"), ("15:00", "catch_up", "submitted")]
    assert history(cron) == [*runs, ("16:00", *SUBMITTED)]


def test_a_second_row_of_an_instant_is_impossible(alice: Any) -> None:
    cron = due(make(alice), at("10:00"))
    tick(at("10:00"))
    with pytest.raises(IntegrityError), transaction.atomic():
        CronRun.objects.create(cron=cron, scheduled_at=at("10:00"), trigger="catch_up", outcome="submitted")


def test_process_that_dies_in_mid_tick_leaves_nothing_half_done(alice: Any, monkeypatch: Any) -> None:
    cron = due(make(alice), at("10:00"))
    whole = ticker._move_on
    monkeypatch.setattr(ticker, "_move_on", lambda _plans: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        tick(at("10:00"))
    assert (Job.objects.count(), CronRun.objects.count()) == (0, 0)
    monkeypatch.setattr(ticker, "_move_on", whole)
    tick(at("10:00:20"))
    assert history(cron) == [("10:00", *SUBMITTED)]


@pytest.mark.django_db(transaction=True)
def test_clocks_at_once_start_each_instant_once(core_types: None, alice: Any) -> None:
    crons = [due(make(alice, f"cron {number}"), at("10:00")) for number in range(40)]
    barrier = threading.Barrier(3)
    problems: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait(10)
            for second in range(120):
                tick(at("10:00") + timedelta(seconds=second))
        except BaseException as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert Job.objects.count() == 80
    assert {tuple(history(cron)) for cron in crons} == {(("10:00", *SUBMITTED), ("10:01", *SUBMITTED))}


def _in_thread(act: Callable[[], object], problems: list[BaseException]) -> threading.Thread:
    """The act, begun in a thread that has a connection of its own, and at the point where it waits for this one.

    SQLite does not tell who waits: a thread that has begun waits for the first transaction to end.
    """
    begun = threading.Event()

    def run() -> None:
        try:
            begun.set()
            act()
        except BaseException as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(10)
    if connection.vendor == "postgresql":
        wait_until(lambda: not thread.is_alive() or _somebody_waits(), what="the other to be held up, or done")
    return thread


def _somebody_waits() -> bool:
    sql = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    return bool(fetch_all(sql, []))


def _with_a_start(whole: Any, begin: Callable[[], None]) -> Any:
    """The function, which lets something begin in its middle."""

    def middle(*args: Any, **keywords: Any) -> Any:
        found = whole(*args, **keywords)
        begin()
        return found

    return middle


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["tick", "deregister"])
def test_one_that_is_removed_in_mid_tick_leaves_a_job_or_none(
    core_types: None, alice: Any, monkeypatch: Any, first: str
) -> None:
    due(make(alice), at("10:00"))
    problems: list[BaseException] = []
    others: list[threading.Thread] = []

    def remove() -> None:
        register.deregister(account=alice, label="tweet")

    if first == "tick":
        # The jobs of the tick are written, its runs are not.
        middle = _with_a_start(ticker.submit_many, lambda: others.append(_in_thread(remove, problems)))
        monkeypatch.setattr(ticker, "submit_many", middle)
        assert tick(at("10:00")) == 1
    else:
        # The cron is held, and still there.
        middle = _with_a_start(
            register.cron_for, lambda: others.append(_in_thread(lambda: tick(at("10:00")), problems))
        )
        monkeypatch.setattr(register, "cron_for", middle)
        remove()
    for other in others:
        other.join(60)
    assert (len(others), problems) == (1, [])
    monkeypatch.undo()
    assert (Cron.objects.count(), CronRun.objects.count(), CronDay.objects.count()) == (0, 0, 0)
    assert Job.objects.count() == (1 if first == "tick" else 0)
    assert tick(at("10:00:30")) == tick(at("10:01")) == 0
    if first == "tick":
        run_all(alice)
        assert Job.objects.get().status == "done"


def test_a_tick_reads_no_cron_that_is_not_due(alice: Any) -> None:
    one = due(make(alice), at("10:00"))
    add_copies(one, 2000, next_at=at("11:00"))
    with CaptureQueriesContext(connection) as queries:
        assert tick(at("10:00")) == 1
    assert len(queries) < 25
    with connection.cursor() as cursor:
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE crons_cron")
        due_ones = Cron.objects.filter(next_at__lte=at("10:00")).order_by("next_at", "id")[:500].query
        sql, params = due_ones.sql_with_params()
        cursor.execute(f"{explain} {sql}", params)
        assert "cron_due" in str(cursor.fetchall())


def test_schedule_that_cannot_be_read_any_more_holds_up_no_other(alice: Any) -> None:
    broken = due(make(alice, "broken"), at("10:00"))
    Cron.objects.filter(pk=broken.pk).update(timezone="Atlantis/Capital")
    due(make(alice), at("10:00"))
    assert tick(at("10:00")) == 1
    broken.refresh_from_db()
    assert broken.is_paused
    assert "Atlantis" in broken.events.last().detail  # type: ignore[union-attr]
