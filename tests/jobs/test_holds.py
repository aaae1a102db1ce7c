"""Jobs that are ready and held for their cost."""

from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from jobs.models import Batch, Hold, JidCounter, Job, JobEvent
from jobs.services.claim import jobs_to_stop
from jobs.services.dispatch import WorkKind
from jobs.services.holds import kill_running, lift_hold, place_hold, settle_holds
from jobs.services.kill import kill_jobs
from jobs.services.recover import release_worker
from jobs.services.submit import rerun_job
from jobs.services.submit_many import Prepared, submit_many
from jobs.states import Reason
from tests.submitting import Api, claim, finish, submit

WORDS = "The budget of this account, $20.00 a month, is spent."


def hold(user: Any, *, source: str = "budget-1", reason: Reason = Reason.BUDGET, label: str = "") -> int:
    return place_hold(account=user, source=source, reason=reason, sentence=WORDS, label=label)


def statuses() -> list[tuple[str, str]]:
    return list(Job.objects.order_by("jid").values_list("status", "reason"))


HELD = ("waiting", "budget")
QUEUED = ("queued", "")


def test_new_jobs_wait_with_the_reason(alice: Any) -> None:
    hold(alice)
    batch = submit(alice, count=3)
    assert statuses() == [HELD] * 3
    assert (batch.n_waiting, batch.n_queued) == (3, 0)
    assert claim(alice) is None
    story = JobEvent.objects.get()
    assert (story.name, story.status, story.reason, story.detail) == ("job.submitted", "waiting", "budget", WORDS)


def test_queued_jobs_move_back(alice: Any) -> None:
    batch = submit(alice, count=3)
    assert hold(alice) == 3
    batch.refresh_from_db()
    assert (statuses(), batch.n_waiting, batch.n_queued) == ([HELD] * 3, 3, 0)
    assert JobEvent.objects.filter(name="job.held", first_jid=1, last_jid=3, detail=WORDS).exists()


def test_running_jobs_go_on(alice: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    assert hold(alice) == 0
    finish(found)
    assert statuses() == [("done", "")]


def test_lifted_ones_are_queued_and_announced(alice: Any, redis: Redis) -> None:
    hold(alice)
    batch = submit(alice, count=2)
    redis.flushall()
    assert lift_hold(account=alice, source="budget-1") == 2
    batch.refresh_from_db()
    assert (statuses(), batch.n_waiting, batch.n_queued) == ([QUEUED] * 2, 0, 2)
    assert redis.sismember("picloud:tickets", str(WorkKind(alice.pk, "c1", 1)))
    assert Job.objects.filter(queued_at=None).count() == 0
    assert JidCounter.objects.get(account=alice).has_holds is False
    submit(alice)
    assert statuses()[2] == QUEUED


def test_others_are_not_held(alice: Any, bob: Any) -> None:
    hold(alice)
    submit(bob)
    settle_holds()
    assert statuses() == [QUEUED]


def test_hold_of_a_label_is_for_that_label(alice: Any) -> None:
    submit(alice, options={"label": "night"})
    submit(alice)
    assert hold(alice, label="night") == 1
    submit(alice, options={"label": "night"})
    submit(alice, options={"label": "nights"})
    assert statuses() == [HELD, QUEUED, HELD, QUEUED]


def test_what_two_hold_goes_on_when_both_are_lifted(alice: Any) -> None:
    hold(alice)
    hold(alice, source="credit", reason=Reason.CREDIT)
    submit(alice)
    assert lift_hold(account=alice, source="budget-1") == 0
    assert statuses() == [("waiting", "credit")]
    assert lift_hold(account=alice, source="credit") == 1


def test_lifting_what_is_not_there_changes_nothing(alice: Any) -> None:
    assert lift_hold(account=alice, source="budget-1") == 0


def test_placed_again_it_says_something_else(alice: Any) -> None:
    hold(alice)
    place_hold(account=alice, source="budget-1", reason=Reason.BUDGET, sentence="Still spent.")
    assert list(Hold.objects.values_list("sentence", flat=True)) == ["Still spent."]


def test_job_whose_dependency_ends_is_held(alice: Any) -> None:
    submit(alice)
    submit(alice, options={"depends_on": [[1, 1]]})
    found = claim(alice)
    assert found is not None
    hold(alice)
    assert statuses()[1] == ("waiting", "")
    finish(found)
    assert statuses()[1] == HELD
    lift_hold(account=alice, source="budget-1")
    assert statuses()[1] == QUEUED


def test_job_whose_dependency_fails_stalls_all_the_same(alice: Any) -> None:
    submit(alice)
    submit(alice, options={"depends_on": [[1, 1]]})
    hold(alice)
    kill_jobs(account=alice, jids=[1], by=alice)
    assert statuses() == [("killed", "user"), ("stalled", "dependency")]


def test_held_job_can_be_killed(alice: Any) -> None:
    hold(alice)
    submit(alice)
    kill_jobs(account=alice, jids=None, by=alice)
    lift_hold(account=alice, source="budget-1")
    assert statuses() == [("killed", "user")]


def test_later_part_of_a_map_is_held(alice: Any, alice_api: Api) -> None:
    fields: dict[str, Any] = {"idempotency_key": "one-long-map", "map": True, "total": 2}
    alice_api.submit([b"first"], **fields)
    hold(alice)
    alice_api.submit([b"second"], **fields, first=1)
    assert statuses() == [HELD, HELD]


def test_run_again_is_held(alice: Any) -> None:
    submit(alice)
    hold(alice)
    rerun_job(account=alice, jid=1)
    assert statuses() == [HELD, HELD]
    assert JobEvent.objects.get(first_jid=2).detail == f"Job 1 again. {WORDS}"


def test_calls_of_many_accounts_at_once_are_held_for_their_own(alice: Any, bob: Any) -> None:
    ours, theirs = submit(alice), submit(bob)
    hold(alice, label="cron_night")
    calls = [
        Prepared(account_id=batch.account_id, label=label, arguments_id=batch.packs.get().blob_id, runs=batch)
        for batch, label in ((ours, "cron_night"), (ours, "cron_day"), (theirs, "cron_night"))
    ]
    started = submit_many(calls, at=timezone.now())
    rows = Job.objects.in_bulk([new.job_id for new in started])
    assert [(rows[new.job_id].status, rows[new.job_id].reason) for new in started] == [HELD, QUEUED, QUEUED]
    counted = Batch.objects.in_bulk([new.batch_id for new in started])
    assert [(counted[new.batch_id].n_waiting, counted[new.batch_id].n_queued) for new in started] == [
        (1, 0), (0, 1), (0, 1),
    ]  # fmt: skip


def test_job_of_a_lost_worker_is_held_again_by_the_clock(alice: Any) -> None:
    submit(alice)
    claim(alice)
    hold(alice)
    release_worker(worker="w1")
    assert statuses() == [("queued", "worker_lost")]
    settle_holds()
    assert statuses() == [HELD]


def test_what_nothing_holds_is_released_by_the_clock(alice: Any) -> None:
    hold(alice)
    submit(alice)
    Hold.objects.all().delete()
    settle_holds()
    assert statuses() == [QUEUED]


def test_running_jobs_can_be_ended_for_it(alice: Any) -> None:
    submit(alice, options={"label": "night"})
    submit(alice)
    first, second = claim(alice, worker="w1"), claim(alice, worker="w2")
    assert first is not None
    assert second is not None
    assert kill_running(account=alice, reason=Reason.BUDGET, detail=WORDS, label="night") == 1
    assert jobs_to_stop(worker="w1", job_ids=[first.jobs[0].pk]) == {first.jobs[0].pk: Reason.BUDGET}
    assert jobs_to_stop(worker="w2", job_ids=[second.jobs[0].pk]) == {}


@pytest.mark.parametrize("field", ["held_by", "reason"])
def test_info_says_why(alice: Any, alice_api: Api, field: str) -> None:
    hold(alice)
    submit(alice)
    told = alice_api.post("info", {"jids": [[1, 1]], "fields": [field]}).json()["jobs"]["1"]
    assert told == {field: WORDS if field == "held_by" else "budget"}


def test_page_says_why(alice: Any, alice_client: Any) -> None:
    hold(alice)
    submit(alice)
    page = alice_client.get("/jobs/1/").content.decode()
    assert WORDS in page
    assert "Waits for 0 jobs" not in page


def test_info_says_nothing_when_nothing_holds_it(alice: Any, alice_api: Api) -> None:
    submit(alice)
    told = alice_api.post("info", {"jids": [[1, 1]], "fields": ["held_by"]}).json()["jobs"]["1"]
    assert told == {"held_by": None}
