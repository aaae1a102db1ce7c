"""From the queue to a result, as workers do it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Batch, CorePrice, Job, JobEvent, UsageRecord
from jobs.services.claim import chunk_size
from jobs.states import Reason, Status
from tests.submitting import Api, claim, finish, outcome, submit


def test_lower_priority_number_goes_first(alice: Any) -> None:
    submit(alice, options={"priority": 5})
    submit(alice, options={"priority": 1})
    found = claim(alice)
    assert found is not None
    assert [job.jid for job in found.jobs] == [2]


def test_nothing_is_claimed_twice(alice: Any) -> None:
    submit(alice)
    assert claim(alice, worker="w1") is not None
    assert claim(alice, worker="w2") is None


def test_claim_is_for_one_account_only(alice: Any, charlie: Any) -> None:
    submit(alice)
    assert claim(charlie) is None


def test_claim_is_for_one_core_type_and_number_of_cores(alice: Any) -> None:
    submit(alice, options={"type": "c2", "cores": 2})
    assert claim(alice, core_type="c2", cores=1) is None
    assert claim(alice, core_type="c2", cores=2) is not None


def test_chunks_grow_with_what_is_known(alice: Any) -> None:
    submit(alice, count=400)
    sizes = []
    while (found := claim(alice, slots=2)) and len(sizes) < 3:
        sizes.append(len(found.jobs))
        finish(found, run_ms=1)
    assert sizes == [1, 100, 75]


def test_long_jobs_are_claimed_one_by_one() -> None:
    assert chunk_size(queued=50, finished=1, run_ms=5000, slots=1) == 1


def test_nobody_waits_long_for_the_last_chunk() -> None:
    assert chunk_size(queued=8, finished=1000, run_ms=20_000, slots=2) == 2


def test_chunk_of_no_ops_is_not_cut_smaller_than_it_is_worth() -> None:
    assert chunk_size(queued=8, finished=1000, run_ms=100, slots=2) >= 8


def test_done_job_has_its_result_and_its_cost(alice: Any, alice_api: Api) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found, run_ms=3_600_000)
    info = alice_api.post("info", {"jids": [[1, 1]], "fields": ["status", "runtime", "cost", "compute_hours"]}).json()
    assert info["jobs"]["1"]["status"] == "done"
    assert Decimal(info["jobs"]["1"]["cost"]) == Decimal("0.05")
    assert Decimal(info["jobs"]["1"]["compute_hours"]) == 1


def test_story_tells_each_move(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found)
    assert list(JobEvent.objects.values_list("name", flat=True)) == ["job.submitted", "job.started", "job.done"]


def test_report_of_an_earlier_attempt_changes_nothing(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    late = outcome(found.jobs[0])
    Job.objects.update(attempt=2)
    from jobs.services.finish import finish_jobs

    assert finish_jobs(work=found.work, price_micros=1, worker="w1", outcomes=[late]) == 0
    assert Job.objects.get().status == Status.PROCESSING
    assert JobEvent.objects.filter(name="job.late_report").exists()


def test_doubled_report_is_paid_once(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    report = outcome(found.jobs[0])
    from jobs.services.finish import finish_jobs

    for _ in range(2):
        finish_jobs(work=found.work, price_micros=found.price_micros, worker="w1", outcomes=[report])
    assert UsageRecord.objects.count() == 1


def test_counters_follow_the_jobs(alice: Any) -> None:
    batch = submit(alice, count=3)
    for status in (Status.DONE, Status.ERROR, Status.DONE):
        found = claim(alice, slots=100)
        assert found is not None
        finish(found, status=status)
    batch.refresh_from_db()
    assert (batch.n_queued, batch.n_processing, batch.n_done, batch.n_error) == (0, 0, 2, 1)
    assert batch.finished_at is not None


def test_large_result_goes_to_the_object_store(alice: Any, settings: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    big = bytes(settings.INLINE_LIMIT + 1)
    finish(found, result=big)
    result = Job.objects.get().result
    assert (result.size, result.inline) == (len(big), None)
    from jobs.services.results import results_of

    assert results_of(account_id=alice.pk, jids=[1], with_data=True, max_bytes=10**9).parts == [big]


def test_a_job_keeps_the_price_of_its_start(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    CorePrice.objects.create(core_type_id="c1", per_core_hour=Decimal(9), effective_from=timezone.now())
    assert found is not None
    finish(found, run_ms=3_600_000)
    assert Batch.objects.get().cost == Decimal("0.05")


def test_a_price_of_tomorrow_does_not_count_today(alice: Any) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    CorePrice.objects.create(core_type_id="c1", per_core_hour=Decimal(9), effective_from=tomorrow)
    submit(alice)
    found = claim(alice)
    assert found is not None
    assert found.price_micros == 50_000


def test_a_month_of_one_second_crons_costs_sixty_cents() -> None:
    """43,200 runs of one second on c1: 12 compute hours, $0.60."""
    from common.money import charge_of, compute_hours, dollars, format_dollars

    charge = sum(charge_of(run_ms=1000, cores=1, price_micros=50_000) for _ in range(43_200))
    assert compute_hours(core_ms=43_200 * 1000, compute_units=Decimal(1)) == 12
    assert dollars(charge) == Decimal("0.60")
    assert format_dollars(dollars(charge)) == "$0.60"


def test_thirty_videos_cost_seven_cents(alice: Any) -> None:
    """30 runs of 70 s on c2 (2.5 units): 1.458 compute hours, $0.073."""
    from common.money import format_dollars

    batch = submit(alice, count=30, options={"type": "c2"})
    while found := claim(alice, core_type="c2"):
        finish(found, run_ms=70_000)
    batch.refresh_from_db()
    assert round(batch.compute_hours, 3) == Decimal("1.458")
    assert format_dollars(batch.cost) == "$0.073"


@pytest.mark.parametrize("status", [Status.ERROR, Status.KILLED])
def test_what_failed_pays_for_what_ran(alice: Any, status: Status) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found, status=status, reason=Reason.EXCEPTION, run_ms=500)
    assert UsageRecord.objects.get().run_ms == 500


def test_second_map_of_a_function_begins_with_what_the_first_taught(alice: Any) -> None:
    submit(alice, count=2)
    while found := claim(alice):
        finish(found, run_ms=10)
    submit(alice, count=80)
    again = claim(alice, slots=2)
    assert again is not None
    assert len(again.jobs) == 20
