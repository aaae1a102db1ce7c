"""Registering, replacing and removing crons, and what is refused with which sentence."""

from typing import Any

import pytest

from common.exceptions import NotFound, Refused
from crons.selectors import cron_for, crons_of, preview
from crons.services import change, register
from crons.services.run import run_now
from crons.terms import parse_terms
from jobs.models import Blob, Job
from tests.crons.making import make, submission, terms
from tests.submitting import run_all, submit

pytestmark = pytest.mark.usefixtures("base_environment")


def test_registering_the_label_again_replaces_the_cron_and_keeps_it(alice: Any) -> None:
    first = make(alice)
    run_now(account=alice, label="tweet")
    again, created = register.register(
        account=alice, submission=submission(b"another function"), terms=terms("tweet", "@daily")
    )
    assert (again.pk, created, again.registration) == (first.pk, False, 2)
    assert (again.schedule, again.runs.count()) == ("@daily", 1)
    assert [event.name for event in again.events.all()] == ["cron.registered", "cron.replaced"]


def test_a_repeated_request_registers_once(alice: Any) -> None:
    one = submission()
    assert register.register(account=alice, submission=one, terms=terms())[1] is True
    cron, created = register.register(account=alice, submission=one, terms=terms())
    assert (created, cron.registration) == (True, 1)


def test_removing_a_cron_drops_its_function_and_keeps_its_jobs(alice: Any) -> None:
    make(alice)
    register.deregister(account=alice, label="tweet")
    assert not Blob.objects.exists()
    with pytest.raises(NotFound):
        register.deregister(account=alice, label="tweet")
    make(alice)
    run_now(account=alice, label="tweet")
    register.deregister(account=alice, label="tweet")
    assert Job.objects.get().batch.label == "cron_tweet"
    assert Blob.objects.count() == 2


def test_run_now_makes_a_job_that_runs(alice: Any) -> None:
    make(alice)
    assert run_now(account=alice, label="tweet") == 1
    run_all(alice)
    job = Job.objects.get()
    assert (job.status, job.batch.label, job.batch.function.name) == ("done", "cron_tweet", "encode")
    assert job.batch.finished_at is not None


def test_a_job_is_scheduled_with_its_function_arguments_and_options(alice: Any) -> None:
    batch = submit(alice, options={"type": "c2", "cores": 1, "max_runtime": 5, "env_vars": {"A": "b"}})
    cron, _ = register.schedule_job(account=alice, jid=batch.first_jid, terms=terms())
    assert (cron.core_type_id, cron.max_runtime_ms, cron.env_vars) == ("c2", 300_000, {"A": "b"})
    assert cron.function_blob_id == batch.function_blob_id


def test_a_strangers_cron_does_not_exist(alice: Any, charlie: Any) -> None:
    make(alice)
    assert crons_of(charlie).lines == []
    with pytest.raises(NotFound):
        cron_for(charlie, "tweet")
    for service in (change.pause, change.resume, register.deregister, run_now):
        with pytest.raises(NotFound):
            service(account=charlie, label="tweet")


def test_a_paused_cron_has_no_next_run_until_it_is_resumed(alice: Any) -> None:
    make(alice)
    assert change.pause(account=alice, label="tweet").next_at is None
    assert change.resume(account=alice, label="tweet").next_at is not None


@pytest.mark.parametrize(
    "label", ["", " ", "x" * 300, "a\nb", "a\tb", "a/b", "..", "naïve", " a", 'a"\x00', None, 7, "a\u202eb"]
)
def test_bad_labels_are_refused(label: Any) -> None:
    with pytest.raises(Refused) as refusal:
        parse_terms({"label": label, "schedule": "* * * * *"})
    assert refusal.value.code == "bad_label"


@pytest.mark.parametrize("label", ['"quoted"', "<b>bold</b>".replace("/", ""), "it's 100%", "x" * 195, "a?b#c&d=e"])
def test_odd_labels_are_taken(alice: Any, label: str) -> None:
    assert make(alice, label).label == label


def test_preview_says_when_it_fires() -> None:
    found = preview("0 9 * * mon-fri", "Europe/Berlin")
    assert found.words == "At 09:00, Monday through Friday"
    assert [run.local.hour for run in found.runs] == [9] * 10
