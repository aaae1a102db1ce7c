"""Why a job does not run yet: one sentence, and when it should start."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from jobs.models import Job
from realtime.capacity.turns import Busy, first_free, starts_in
from realtime.models import Host
from realtime.selectors.waiting import Cause, Queue, Waiting
from realtime.services.learn import learn
from tests.realtime.reporting import report
from tests.realtime.slow_machines import patient
from tests.submitting import Api, claim, finish, run_all, submit


def why(account: Any, jid: int) -> Waiting:
    found = Queue(account.pk).why(Job.objects.select_related("batch").get(account=account, jid=jid))
    assert found
    return found


def known(account: Any, *, seconds: float) -> None:
    submit(account)
    run_all(account, run_ms=int(seconds * 1000))
    learn()


def seconds_until(found: Waiting) -> float:
    assert found.starts_at
    return (found.starts_at - timezone.now()) / timedelta(seconds=1)


pytestmark = pytest.mark.usefixtures("base_environment")


def test_no_worker_is_there(alice: Any) -> None:
    submit(alice)
    found = why(alice, 1)
    assert (found.cause, found.starts_at) == (Cause.NO_WORKER, None)
    assert found.sentence == "No worker for c1 is there: it starts when one reports."


def test_workers_of_other_types_are_none(alice: Any) -> None:
    report(core_types="f2")
    submit(alice)
    assert why(alice, 1).cause == Cause.NO_WORKER


def test_workers_that_cannot_run_jobs_say_why(alice: Any) -> None:
    report(problem="There is no container engine: install Podman.")
    submit(alice)
    assert "install Podman" in why(alice, 1).sentence


def test_drained_workers_are_none(alice: Any) -> None:
    report(drained="1.0")
    submit(alice)
    assert why(alice, 1).cause == Cause.NO_WORKER


def test_a_machine_boots(alice: Any) -> None:
    Host.objects.create(
        name="new", provider="ec2", reference="i-1", core_types="c1", slots=4,
        launched_at=timezone.now() - timedelta(seconds=60),
    )  # fmt: skip
    submit(alice)
    found = why(alice, 1)
    assert found.cause == Cause.BOOTING
    assert found.sentence == "1 machine for c1 boots, to be ready in about 3 m 00 s."
    assert seconds_until(found) == pytest.approx(180, abs=5)


def test_more_cores_than_any_machine_has(alice: Any) -> None:
    report(2)
    report(3, host="there")
    submit(alice, options={"type": "c2", "cores": 8})
    found = why(alice, 1)
    assert found.cause == Cause.TOO_LARGE
    assert "Needs 8 cores on one machine, and the largest that is here has 3" in found.sentence


def test_next_for_a_free_core(alice: Any) -> None:
    report()
    submit(alice)
    found = why(alice, 1)
    assert found.cause == Cause.CORE
    assert found.sentence == "Is next for a free c1 core, and it should start within a second."


def test_own_jobs_ahead(alice: Any) -> None:
    report()
    known(alice, seconds=60)
    batch = submit(alice, count=11)
    found = why(alice, batch.first_jid + 10)
    assert found.cause == Cause.OWN_QUEUE
    assert (
        found.sentence
        == "Queues for 2 c1 cores; 10 jobs of yours are before it, and it should start in about 5 m 00 s."
    )
    assert seconds_until(found) == pytest.approx(300, abs=5)


def test_priority_counts(alice: Any) -> None:
    report()
    known(alice, seconds=60)
    submit(alice, count=10)
    urgent = submit(alice, options={"priority": 1})
    assert why(alice, urgent.first_jid).cause == Cause.CORE


def test_running_jobs_must_end_first(alice: Any) -> None:
    report(1)
    known(alice, seconds=60)
    submit(alice, count=2)
    assert claim(alice, worker="here:8000:0")
    assert seconds_until(why(alice, 3)) == pytest.approx(60, abs=5)


def test_accounts_take_turns(alice: Any, bob: Any) -> None:
    report(1)
    known(alice, seconds=60)
    known(bob, seconds=60)
    submit(bob, count=100)
    batch = submit(alice, count=5)
    found = why(alice, batch.first_jid + 4)
    assert found.cause == Cause.TURNS
    assert found.sentence.startswith("Takes turns with 1 other account on 1 core; 4 jobs of yours are before it")
    # Four of mine, and as many minutes of the other's as I have had with this one: not all hundred.
    assert seconds_until(found) == pytest.approx((4 + 5) * 60, abs=5)


def test_machines_that_boot_are_told_beside(alice: Any) -> None:
    report(1)
    Host.objects.create(name="new", provider="ec2", reference="i-1", core_types="c1", slots=4)
    submit(alice)
    assert "1 more machine boots, to be ready in about 4 m 00 s." in why(alice, 1).sentence


def test_all_cores_are_reserved_by_others(alice: Any, bob: Any) -> None:
    report(2, dedicated=f"{bob.pk}-c1")
    submit(alice)
    found = why(alice, 1)
    assert found.cause == Cause.RESERVED
    assert found.sentence == "All 2 c1 cores are reserved by others: it starts when one is released."
    # Bob's own are his.
    submit(bob)
    assert why(bob, 1).cause == Cause.CORE


def test_reserved_cores_work_off_the_queue_beside_the_shared_ones(alice: Any, bob: Any) -> None:
    known(alice, seconds=60)
    known(bob, seconds=60)
    submit(bob, count=100)
    batch = submit(alice, count=5)
    report(1)
    shared = seconds_until(why(alice, batch.first_jid + 4))
    report(1, host="mine", dedicated=f"{alice.pk}-c1")
    assert seconds_until(why(alice, batch.first_jid + 4)) < shared / 2


def test_dependencies(alice: Any) -> None:
    report()
    known(alice, seconds=60)
    submit(alice)
    waiting = submit(alice, options={"depends_on": [[2, 2]]})
    found = why(alice, waiting.first_jid)
    assert (found.cause, found.sentence) == (Cause.DEPENDENCIES, "Waits for job 2 (queued) to finish.")
    assert claim(alice)
    found = why(alice, waiting.first_jid)
    assert found.sentence == "Waits for job 2 (running) to finish, in about 1 m 00 s."
    assert seconds_until(found) == pytest.approx(60, abs=5)


def test_of_many_dependencies_some_are_named(alice: Any) -> None:
    submit(alice, count=6)
    waiting = submit(alice, options={"depends_on": [[1, 6]]})
    sentence = why(alice, waiting.first_jid).sentence
    assert sentence == "Waits for job 1 (queued), job 2 (queued), job 3 (queued) and 3 other jobs to finish."


def test_a_job_that_runs_or_is_over_waits_for_nothing(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found
    job = Job.objects.select_related("batch").get()
    assert Queue(alice.pk).why(job) is None
    finish(found)
    job.refresh_from_db()
    assert Queue(alice.pk).why(job) is None


# -- where it is told --------------------------------------------------------------------------


def test_page_says_it(alice: Any, alice_client: Client) -> None:
    report()
    submit(alice)
    page = alice_client.get("/jobs/1/").content.decode()
    assert re.search(r'<span class="why" title="About [^"]+">Is next for a free c1 core', page)


def test_info_tells_it(alice: Any, alice_api: Api) -> None:
    submit(alice)
    told = alice_api.post("info", {"jids": [[1, 1]], "fields": ["waiting_for"]}).json()["jobs"]["1"]["waiting_for"]
    assert told["cause"] == "no_worker"
    assert told["expected_start"] is None
    assert alice_api.get("jobs/1").json()["waiting_for"] == told


def test_a_thousand_jobs_take_as_few_questions_as_one(
    alice: Any, alice_api: Api, django_assert_max_num_queries: Any
) -> None:
    report()
    submit(alice, count=1000)
    with django_assert_max_num_queries(25):
        answer = alice_api.post("info", {"jids": [[1, 1000]], "fields": ["waiting_for"]}).json()["jobs"]
    assert "999 jobs of yours are before it." in answer["1000"]["waiting_for"]["sentence"]


# -- the arithmetic ----------------------------------------------------------------------------


def test_a_core_that_is_free_is_free_now() -> None:
    assert first_free([Busy(1, 100.0)], cores=2) == 0.0
    assert first_free([], cores=0) == 0.0


def test_of_many_that_run_one_ends_soon() -> None:
    assert first_free([Busy(1, 100.0)], cores=1) == pytest.approx(100.0)
    assert first_free([Busy(50, 100.0)], cores=50) == pytest.approx(2.0)


@patient
@given(
    st.floats(0, 1e6),
    st.floats(0, 1e4),
    st.lists(st.floats(0, 1e6), max_size=10),
    st.integers(1, 100),
    st.floats(0, 1e4),
)
def test_never_later_than_after_all_work_nor_before_a_core_is_free(
    ahead: float, own: float, others: list[float], cores: int, free_in: float
) -> None:
    found = starts_in(ahead=ahead, own=own, others=others, cores=cores, free_in=free_in)
    assert free_in <= found <= free_in + (ahead + sum(others)) / cores + 1e-6
