"""Workers that vanish: no job is lost, and none is recorded twice."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from jobs.models import Job, JobEvent, UsageRecord
from jobs.services import dispatch, recover
from jobs.services.recover import MAX_RESTARTS
from tests.submitting import Api, claim, finish, submit


def lose_worker() -> None:
    Job.objects.filter(status="processing").update(lease_until=timezone.now() - timedelta(seconds=1))
    recover.expire_leases()


def test_expired_job_is_queued_again(alice: Any) -> None:
    submit(alice)
    claim(alice)
    lose_worker()
    job = Job.objects.get()
    assert (job.status, job.reason, job.worker) == ("queued", "worker_lost", "")


def test_live_lease_is_left_alone(alice: Any) -> None:
    submit(alice)
    claim(alice)
    assert recover.expire_leases() == 0


def test_late_report_of_the_lost_worker_is_not_applied(alice: Any) -> None:
    submit(alice)
    lost = claim(alice, worker="w1")
    lose_worker()
    again = claim(alice, worker="w2")
    assert lost is not None
    assert again is not None
    assert finish(lost, worker="w1") == 0
    assert finish(again, worker="w2") == 1
    assert UsageRecord.objects.count() == 1


def test_job_that_may_not_restart_is_killed(alice: Any, alice_api: Api) -> None:
    submit(alice, options={"restartable": False})
    claim(alice)
    lose_worker()
    info = alice_api.post("info", {"jids": [[1, 1]], "fields": ["status", "reason", "exception"]}).json()["jobs"]["1"]
    assert (info["status"], info["reason"]) == ("killed", "worker_lost")
    assert "_restartable=False" in info["exception"]


def test_job_asked_to_die_is_not_run_again(alice: Any, alice_api: Api) -> None:
    submit(alice)
    claim(alice)
    alice_api.post("kill", {"jids": [[1, 1]]})
    lose_worker()
    assert (Job.objects.get().status, Job.objects.get().reason) == ("killed", "user")


def test_job_that_kills_every_worker_ends(alice: Any) -> None:
    submit(alice)
    for _ in range(MAX_RESTARTS + 1):
        claim(alice)
        lose_worker()
    assert (Job.objects.get().status, Job.objects.get().reason) == ("killed", "worker_lost")


def test_restarted_worker_takes_its_own_jobs_back_at_once(alice: Any) -> None:
    submit(alice)
    claim(alice, worker="w1")
    assert recover.release_worker(worker="w1") == 1
    assert Job.objects.get().status == "queued"


def test_given_back_jobs_are_not_counted_as_restarts(alice: Any) -> None:
    batch = submit(alice)
    for _ in range(MAX_RESTARTS + 2):
        found = claim(alice)
        assert found is not None
        recover.give_back(batch_id=batch.pk, worker="w1", job_ids=[found.jobs[0].pk])
    assert Job.objects.get().status == "queued"
    assert not JobEvent.objects.filter(name="job.restarted").exists()


def test_stops_of_a_worker_are_not_counted_as_restarts(alice: Any) -> None:
    submit(alice)
    for _ in range(MAX_RESTARTS + 2):
        claim(alice, worker="w1")
        recover.stop_worker(worker="w1")
    assert Job.objects.get().status == "queued"


def test_lost_tickets_are_issued_again(alice: Any, redis: Any) -> None:
    submit(alice)
    redis.flushall()
    assert [kind.account_id for kind in dispatch.reissue_tickets()] == [alice.pk]
    assert dispatch.reissue_tickets() == []


def test_map_whose_submitter_went_away_ends_with_what_came(alice: Any, alice_api: Api) -> None:
    alice_api.submit([b"a"], total=5)
    found = claim(alice)
    assert found is not None
    finish(found)
    assert recover.close_abandoned_submits(older_than=timedelta(0)) == 1
    batch = Job.objects.get().batch
    assert batch.size == 1
    assert batch.finished_at is not None
