"""What runs cost, to the cent; and that nothing is charged twice, lost, or changed afterwards."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from billing.models import Books, Kind, LedgerDay, LedgerEntry
from billing.models.frozen import Frozen
from billing.services import books, usage
from billing.services.usage import post_usage
from jobs.models import Batch, BatchTrace, Job, UsageRecord
from jobs.services.delete import delete_jobs
from jobs.services.finish import finish_jobs
from jobs.services.submit import rerun_job
from jobs.states import Status
from tests.billing.using import NOON, cents, charged, lines, use
from tests.submitting import Api, claim, finish, outcome, run_all, submit


def test_a_cron_of_a_second_each_minute_costs_sixty_cents_a_month(alice: Any) -> None:
    use(alice, *[1000] * 43_200, at=datetime(2026, 3, 1, tzinfo=UTC))
    assert charged(alice) == Decimal("0.60")
    assert sum(entry.core_hours for entry in LedgerEntry.objects.all()) == 12


def test_thirty_jobs_of_seventy_seconds_at_two_and_a_half_units(alice: Any) -> None:
    use(alice, *[70_000] * 30, core_type="c2")
    assert cents(charged(alice), "0.001") == Decimal("0.073")


def test_a_research_grant_is_ten_thousand_hours_of_c1(alice: Any) -> None:
    use(alice, *[3_600_000_0] * 1000)
    assert charged(alice) == 500


def test_run_time_times_cores_times_price(alice: Any) -> None:
    use(alice, 90_000, core_type="c2", cores=4)
    # 90 s x 4 cores x $0.125 an hour
    assert charged(alice) == Decimal("0.0125")
    assert LedgerEntry.objects.get().core_ms == 360_000


def test_a_millisecond_is_not_lost(alice: Any) -> None:
    use(alice, *[1] * 1000)
    assert charged(alice) * 3600 == Decimal("0.05")


# -- how usage becomes lines -------------------------------------------------------------------


def test_a_line_holds_the_runs_of_a_batch_that_ended_in_an_hour_at_a_price(alice: Any) -> None:
    use(alice, 1000, 2000, label="videos")
    use(alice, 1000, at=NOON.replace(minute=59, second=59), label="late")
    use(alice, 7_200_000, label="long")
    use(alice, 1000, label="dear", price_micros=70_000)
    post_usage()
    assert lines(alice) == [
        ("10 12:00", 2, "videos"),
        ("10 12:00", 1, "dear"),
        ("10 13:00", 1, "late"),
        ("10 14:00", 1, "long"),
    ]


def test_lines_say_whose_and_what_it_was(alice: Any, bob: Any) -> None:
    batch = use(alice, 1000, label="cron_nightly", module="videos", function="encode", api_key=7)
    use(bob, 1000)
    post_usage()
    line = LedgerEntry.objects.get(account=alice)
    assert (line.label, line.cron, line.function, line.api_key) == ("cron_nightly", "nightly", "videos.encode", 7)
    assert (line.batch_id, line.first_jid, line.last_jid, line.kind) == (batch.pk, 1, 1, Kind.COMPUTE)


def test_each_run_is_charged_once_however_often_the_clock_looks(alice: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(usage, "AT_ONCE", 7)
    use(alice, *[1000] * 20)
    assert [post_usage(), post_usage()] == [20, 0]
    use(alice, *[1000] * 3)
    assert post_usage() == 3
    assert sum(line.runs for line in LedgerEntry.objects.all()) == UsageRecord.objects.count()


def test_a_clock_that_is_stopped_in_the_middle_loses_and_doubles_nothing(alice: Any, monkeypatch: Any) -> None:
    use(alice, *[1000] * 20)
    monkeypatch.setattr(usage, "AT_ONCE", 7)
    whole = books.append
    calls = []

    def stopped(*args: Any) -> None:
        whole(*args)
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(usage, "append", stopped)
    with pytest.raises(KeyboardInterrupt):
        post_usage()
    monkeypatch.undo()
    post_usage()
    assert sum(line.runs for line in LedgerEntry.objects.all()) == 20
    assert LedgerDay.objects.get().runs == 20


def test_the_database_takes_no_usage_twice(alice: Any) -> None:
    use(alice, 1000)
    post_usage()
    line = LedgerEntry.objects.get()
    line.pk, line._state.adding = None, True
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save()


def test_sums_of_days_are_those_of_the_lines(alice: Any) -> None:
    use(alice, 1000, 2000, label="videos")
    use(alice, 3000, label="videos")
    post_usage()
    use(alice, 4000, label="videos", at=NOON + timedelta(hours=3))
    use(alice, 5000, label="videos", at=NOON + timedelta(days=1))
    post_usage()
    assert list(LedgerDay.objects.values_list("day__day", "runs", "core_ms")) == [(10, 4, 10_000), (11, 1, 5_000)]


def test_a_worker_whose_clock_is_ahead_charges_in_the_present_hour(alice: Any) -> None:
    use(alice, 1000, at=timezone.now() + timedelta(days=400))
    use(alice, 1000)
    UsageRecord.objects.filter(jid=2).update(started_at=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
    post_usage()
    assert {line.at for line in LedgerEntry.objects.all()} == {books.hour_of(timezone.now())}


def test_runs_of_a_closed_month_go_into_the_open_one_and_say_so(alice: Any) -> None:
    Books.objects.create(pk=books.THE_BOOKS, open_from=datetime(2026, 4, 1, tzinfo=UTC))
    use(alice, 1000)
    post_usage()
    line = LedgerEntry.objects.get()
    assert (f"{line.at:%Y-%m-%d}", line.note) == ("2026-04-01", "Of 2026-03-10 12:00, a month that was closed.")


# -- through the doors -------------------------------------------------------------------------


def test_waiting_is_free_and_failed_and_killed_runs_pay_for_what_ran(alice: Any) -> None:
    submit(alice, count=3)
    found = claim(alice)
    assert found
    finish(found, status=Status.ERROR, run_ms=1000)
    found = claim(alice)
    assert found
    finish(found, status=Status.KILLED, run_ms=2000)
    assert charged(alice) * 3600 == 3 * Decimal("0.05")


def test_a_run_is_paid_once_when_a_lost_worker_reports_too(alice: Any) -> None:
    submit(alice)
    lost = claim(alice, worker="w1")
    assert lost
    report = outcome(lost.jobs[0], run_ms=5000)
    Job.objects.update(status=Status.QUEUED, worker="", started_at=None)
    Batch.objects.update(n_queued=1, n_processing=0)
    again = claim(alice, worker="w2")
    assert again
    finish(again, worker="w2", run_ms=1000)
    finish_jobs(work=lost.work, price_micros=lost.price_micros, worker="w1", outcomes=[report])
    assert charged(alice) * 3600 == Decimal("0.05")


def test_a_line_names_the_key_that_submitted(alice: Any) -> None:
    api = Api(alice)
    api.submit()
    run_all(alice)
    rerun_job(account=alice, jid=1)
    run_all(alice)
    post_usage()
    assert [line.api_key for line in LedgerEntry.objects.order_by("pk")] == [api.key.pk, None]


def test_jobs_that_were_deleted_before_they_were_charged_keep_their_names(alice: Any) -> None:
    submit(alice, options={"label": "videos"})
    run_all(alice)
    delete_jobs(account=alice, jids=[1])
    assert not Batch.objects.exists()
    post_usage()
    line = LedgerEntry.objects.get()
    assert (line.label, line.function) == ("videos", "videos.encode")
    BatchTrace.objects.update(deleted_at=timezone.now() - timedelta(days=8))
    post_usage()
    assert not BatchTrace.objects.exists()


def test_deleting_jobs_changes_no_bill(alice: Any) -> None:
    submit(alice, count=2)
    run_all(alice)
    before = charged(alice)
    delete_jobs(account=alice, jids=[1, 2])
    assert charged(alice) == before > 0


# -- append-only -------------------------------------------------------------------------------


def test_a_line_is_never_changed_or_deleted(alice: Any) -> None:
    use(alice, 1000)
    post_usage()
    line = LedgerEntry.objects.get()
    for act in (line.save, line.delete, LedgerEntry.objects.all().delete, lambda: LedgerEntry.objects.update(charge=0)):
        with pytest.raises(Frozen):
            act()


def test_the_database_refuses_it_too(alice: Any) -> None:
    use(alice, 1000)
    post_usage()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerentry SET charge = 0")
    assert LedgerEntry.objects.get().charge


def test_no_line_but_a_correction_gives_back(alice: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(account=alice, kind=Kind.COMPUTE, at=NOON, charge=-1)
