"""Ending and forgetting jobs, over HTTP."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone

from jobs.models import Batch, Job, JobResult, UsageRecord
from jobs.services.claim import jobs_to_stop
from jobs.services.delete import remove_orphaned_results
from jobs.states import Reason
from storage.bucket import ObjectMissing
from storage.models import Blob
from storage.services import put_bytes, read_bytes
from tests.submitting import Api, claim, finish, submit


def test_queued_jobs_are_killed_at_once(alice: Any, alice_api: Api) -> None:
    submit(alice, count=3)
    assert alice_api.post("kill", {"jids": [[1, 2]]}).json() == {"killed": 2, "stopping": 0}
    assert list(Job.objects.order_by("jid").values_list("status", "reason")) == [
        ("killed", "user"),
        ("killed", "user"),
        ("queued", ""),
    ]
    batch = Batch.objects.get()
    assert (batch.n_killed, batch.n_queued) == (2, 1)


def test_running_job_is_left_to_its_worker(alice: Any, alice_api: Api) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    assert alice_api.post("kill", {"jids": [[1, 1]]}).json() == {"killed": 0, "stopping": 1}
    assert jobs_to_stop(worker="w1", job_ids=[found.jobs[0].pk]) == {found.jobs[0].pk: Reason.USER}


def test_null_kills_everything_of_the_account(alice: Any, charlie: Any, alice_api: Api) -> None:
    submit(alice, count=2)
    submit(charlie)
    assert alice_api.post("kill", {"jids": None}).json()["killed"] == 2
    assert Job.objects.get(account=charlie).status == "queued"


def test_kill_without_saying_which_is_refused(alice_api: Api) -> None:
    assert alice_api.post("kill", {}).status_code == 400


def test_finished_jobs_stay_as_they_are(alice: Any, alice_api: Api) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found)
    assert alice_api.post("kill", {"jids": [[1, 1]]}).json() == {"killed": 0, "stopping": 0}
    assert Job.objects.get().status == "done"


def test_stranger_is_told_it_does_not_exist(alice: Any, charlie_api: Api) -> None:
    submit(alice)
    for path in ("kill", "delete", "info"):
        answer = charlie_api.post(path, {"jids": [[1, 1]]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_unknown")
    assert Job.objects.get().status == "queued"


def test_unfinished_job_is_not_deleted(alice: Any, alice_api: Api) -> None:
    submit(alice)
    answer = alice_api.post("delete", {"jids": [[1, 1]]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job_unfinished")


def test_deleted_job_leaves_only_its_usage(alice: Any, alice_api: Api) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found)
    assert alice_api.post("delete", {"jids": [[1, 1]]}).json() == {"deleted": 1}
    for model in (Job, Batch, JobResult, Blob):
        assert not model._default_manager.exists()
    assert UsageRecord.objects.count() == 1


def test_rest_of_a_map_stays(alice: Any, alice_api: Api) -> None:
    submit(alice, count=3)
    alice_api.post("kill", {"jids": None})
    alice_api.post("delete", {"jids": [[2, 2]]})
    assert list(Job.objects.order_by("jid").values_list("jid", flat=True)) == [1, 3]
    assert Batch.objects.get().n_killed == 2


def test_results_that_no_job_knows_are_removed(alice: Any, settings: Any) -> None:
    submit(alice)
    found = claim(alice)
    assert found is not None
    finish(found, result=bytes(settings.INLINE_LIMIT + 1))
    late = f"results/{alice.pk}/1-7"
    put_bytes(late, b"of a report that came too late")
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=3)):
        remove_orphaned_results()
    with pytest.raises(ObjectMissing):
        read_bytes(late)
    assert read_bytes(Job.objects.get().result.key)
