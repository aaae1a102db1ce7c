"""Killing, deleting and running again from the pages: each says what it will do before it does it."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from jobs.states import Status
from tests.jobs.rows import job_of, make_batch
from tests.submitting import submit


def test_kill_says_what_it_will_stop(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE, Status.QUEUED, Status.QUEUED))
    page = alice_client.post("/jobs/kill/", {"batch": [batch.pk]}).content.decode()
    assert "2 jobs" in page
    assert "1 finished one stays" in page
    assert Job.objects.filter(status=Status.KILLED).count() == 0


def test_kill_stops_what_was_ticked(alice: Any, alice_client: Client) -> None:
    batch, single = (
        make_batch(alice, statuses=(Status.DONE, Status.QUEUED)),
        make_batch(alice, statuses=(Status.QUEUED,)),
    )
    spared = make_batch(alice, statuses=(Status.QUEUED,))
    response = alice_client.post(
        "/jobs/kill/",
        {"batch": [batch.pk], "jid": [single.first_jid], "confirm": "yes", "next": "/jobs/?status=queued"},
    )
    assert response["Location"] == "/jobs/?status=queued"
    assert Job.objects.filter(status=Status.KILLED).count() == 2
    assert job_of(spared).status == Status.QUEUED


def test_running_job_is_asked_to_stop(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.PROCESSING,))
    page = alice_client.post(f"/jobs/{batch.first_jid}/kill/", {"confirm": "yes"}, follow=True).content.decode()
    assert "1 job stopping" in page
    assert job_of(batch).kill_requested_at


def test_colleagues_jobs_are_left_out(alice: Any, bob_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    page = bob_client.post("/jobs/kill/", {"batch": [batch.pk], "jid": [1], "confirm": "yes"}).content.decode()
    assert "Nothing of yours is selected" in page
    assert job_of(batch).status == Status.QUEUED


def test_delete_takes_the_finished_and_leaves_the_others(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.DONE, Status.QUEUED))
    page = alice_client.post("/jobs/delete/", {"batch": [batch.pk]}).content.decode()
    assert "1 that is not finished stays" in page
    alice_client.post("/jobs/delete/", {"batch": [batch.pk], "confirm": "yes"})
    assert [job.status for job in Job.objects.all()] == [Status.QUEUED]


def test_nothing_to_delete_is_said(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    page = alice_client.post("/jobs/delete/", {"batch": [batch.pk], "confirm": "yes"}).content.decode()
    assert "kill it first" in page


def test_htmx_gets_only_the_question(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    page = alice_client.post("/jobs/kill/", {"batch": [batch.pk]}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "Kill 1 job" in page


def test_page_to_go_back_to_is_one_of_ours(alice: Any, alice_client: Client) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    answer = alice_client.post("/jobs/kill/", {"batch": [batch.pk], "confirm": "yes", "next": "https://evil.example/"})
    assert answer["Location"] == "/jobs/"


def test_rerun_submits_the_same_again(alice: Any, alice_client: Client) -> None:
    batch = submit(alice)
    answer = alice_client.post(f"/jobs/{batch.first_jid}/rerun/")
    assert answer["Location"] == f"/jobs/{batch.first_jid + 1}/"


@pytest.mark.parametrize("path", ["/jobs/kill/", "/jobs/delete/", "/jobs/1/kill/", "/jobs/1/rerun/"])
def test_acts_are_posts(alice: Any, alice_client: Client, path: str) -> None:
    make_batch(alice)
    assert alice_client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/jobs/1/kill/", "/jobs/1/rerun/"])
def test_stranger_is_told_it_does_not_exist(alice: Any, charlie_client: Client, path: str) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    assert charlie_client.post(path, {"confirm": "yes"}).status_code == 404
    assert job_of(batch).kill_requested_at is None


@pytest.mark.parametrize("path", ["/jobs/kill/", "/jobs/delete/", "/jobs/1/kill/", "/jobs/1/rerun/"])
def test_forged_post_is_refused(alice: Any, path: str) -> None:
    batch = make_batch(alice, statuses=(Status.QUEUED,))
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(path, {"batch": [batch.pk], "confirm": "yes"}).status_code == 403
    assert job_of(batch).status == Status.QUEUED


@pytest.mark.parametrize("chosen", [["x"], ["-1"], ["9" * 30], ["1"] * 501])
def test_bad_selection_is_answered_by_a_sentence(alice_client: Client, chosen: list[str]) -> None:
    assert alice_client.post("/jobs/kill/", {"batch": chosen}).status_code == 400
