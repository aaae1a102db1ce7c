"""`_max_cost`: what a call, or a whole map, may cost."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from common.money import charge_of_dollars
from jobs.models import Batch, Job, JobEvent
from jobs.services import cost_limit
from jobs.services.claim import jobs_to_stop
from jobs.services.recover import give_back, release_worker
from jobs.services.submit import rerun_job
from jobs.states import Reason, Status
from tests.submitting import Api, claim, finish, submit

HOUR_MS = 3_600_000  # of c1: five cents


def statuses() -> list[tuple[str, str]]:
    return list(Job.objects.order_by("jid").values_list("status", "reason"))


def test_a_tenth_of_a_dollar_is_a_tenth(alice: Any) -> None:
    batch = submit(alice, options={"max_cost": 0.1})
    assert (batch.max_charge, batch.max_cost) == (360_000_000_000, Decimal("0.1"))


@pytest.mark.parametrize("wrong", [0, -1, "2", True, 1_000_001, float("inf"), float("nan"), [1]])
def test_what_is_no_amount_is_refused(alice_api: Api, wrong: Any) -> None:
    answer = alice_api.submit(options={"max_cost": wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_option")
    assert "max_cost must be a number of dollars above 0" in answer.json()["error"]["message"]


def test_claim_says_what_is_left(alice: Any) -> None:
    submit(alice, count=3, options={"max_cost": 0.1})
    found = claim(alice)
    assert found is not None
    assert found.may_charge == charge_of_dollars(Decimal("0.1"))
    finish(found, run_ms=HOUR_MS)
    again = claim(alice)
    assert again is not None
    assert again.may_charge == charge_of_dollars(Decimal("0.05"))


def test_without_a_limit_nothing_is_left_to_say(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    assert found.may_charge is None
    assert cost_limit.allowance_of(found.work.batch_id) is None


def test_map_ends_when_it_has_cost_what_it_may(alice: Any) -> None:
    submit(alice, count=4, options={"max_cost": 0.1})
    for _ in range(2):
        found = claim(alice)
        assert found is not None
        finish(found, run_ms=HOUR_MS)
    assert statuses() == [("done", "")] * 2 + [("killed", "cost_limit")] * 2
    assert claim(alice) is None
    batch = Batch.objects.get()
    assert (batch.cost, batch.n_killed, batch.finished_at is not None) == (Decimal("0.1"), 2, True)
    story = JobEvent.objects.get(name="job.killed")
    assert (story.reason, story.detail) == ("cost_limit", "It has cost what it may: $0.10.")


def test_running_jobs_of_the_map_are_stopped_for_that_reason(alice: Any) -> None:
    submit(alice, count=3, options={"max_cost": 0.05})
    first, second = claim(alice, worker="w1"), claim(alice, worker="w2")
    assert first is not None
    assert second is not None
    finish(first, worker="w1", run_ms=HOUR_MS)
    pk = second.jobs[0].pk
    assert jobs_to_stop(worker="w2", job_ids=[pk]) == {pk: Reason.COST_LIMIT}


def test_dependants_of_what_was_cut_off_stall(alice: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    submit(alice, options={"depends_on": [[2, 2]]})
    found = claim(alice)
    assert found is not None
    finish(found, run_ms=HOUR_MS)
    assert statuses()[2] == ("stalled", "dependency")


def test_items_that_come_later_do_not_run(alice: Any, alice_api: Api) -> None:
    fields: dict[str, Any] = {"idempotency_key": "one-long-map", "map": True, "total": 2, "options": {"max_cost": 0.05}}
    alice_api.submit([b"first"], **fields)
    found = claim(alice)
    assert found is not None
    finish(found, run_ms=HOUR_MS)
    alice_api.submit([b"second"], **fields, first=1)
    assert claim(alice) is None
    assert statuses() == [("done", ""), ("killed", "cost_limit")]


def test_job_of_a_lost_worker_ends_for_the_reason_it_was_stopped_for(alice: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    first, second = claim(alice, worker="w1"), claim(alice, worker="w2")
    assert first is not None
    assert second is not None
    finish(first, worker="w1", run_ms=HOUR_MS)
    release_worker(worker="w2")
    assert statuses()[1] == ("killed", "cost_limit")


def test_what_is_given_back_after_the_limit_ends_for_that_reason(alice: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    first, second = claim(alice, worker="w1"), claim(alice, worker="w2")
    assert first is not None
    assert second is not None
    finish(first, worker="w1", run_ms=HOUR_MS)
    give_back(batch_id=second.work.batch_id, worker="w2", job_ids=[second.jobs[0].pk])
    assert statuses()[1] == ("killed", "cost_limit")
    assert claim(alice) is None


def test_queued_job_of_a_spent_map_ends_though_its_end_was_asked_for_before(alice: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    found = claim(alice)
    assert found is not None
    Job.objects.filter(status="queued").update(kill_requested_at=timezone.now())
    finish(found, run_ms=HOUR_MS)
    assert claim(alice) is None
    assert statuses() == [("done", ""), ("killed", "cost_limit")]


def test_running_jobs_count_with_what_they_have_used(alice: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    claim(alice)
    Job.objects.filter(jid=1).update(started_at=Job.objects.get(jid=2).batch.created_at.replace(year=2000))
    allowance = cost_limit.allowance_of(Batch.objects.get().pk)
    assert allowance is not None
    assert (allowance.left < 0, allowance.per_ms) == (True, 50_000)


def test_what_is_free_has_no_end(alice: Any) -> None:
    submit(alice, options={"max_cost": 0.01})
    found = claim(alice)
    assert found is not None
    Job.objects.update(price_micros=0)
    allowance = cost_limit.allowance_of(found.work.batch_id)
    assert allowance is not None
    assert (allowance.left > 0, allowance.per_ms) == (True, 0)


def test_run_again_has_the_same_limit(alice: Any) -> None:
    submit(alice, options={"max_cost": 2})
    assert rerun_job(account=alice, jid=1).max_cost == 2


def test_pages_and_info_name_it(alice: Any, alice_api: Api, alice_client: Any) -> None:
    submit(alice, count=2, options={"max_cost": 2.5})
    info = alice_api.post("info", {"jids": [[1, 1]], "fields": ["attributes"]}).json()
    assert info["jobs"]["1"]["attributes"]["max_cost"] == "2.5"
    page = alice_client.get("/jobs/1/").content.decode()
    assert "$2.50 for all jobs of the map" in page
    assert "of $2.50 at most" in page


def test_status_says_what_ended_it(alice: Any, alice_client: Any) -> None:
    submit(alice, count=2, options={"max_cost": 0.05})
    found = claim(alice)
    assert found is not None
    finish(found, run_ms=HOUR_MS)
    assert Status.KILLED in Job.objects.get(jid=2).status
    assert "max cost" in alice_client.get("/jobs/2/").content.decode()
