"""Registering, replacing and removing crons, and what is refused with which sentence."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.exceptions import NotFound, Refused
from crons.models import CronRun
from crons.selectors import cron_for, crons_of, preview
from crons.services import change, register
from crons.services.judge import judge
from crons.services.run import run_now
from crons.services.ticker import tick
from crons.terms import parse_terms
from jobs.models import Blob, Job
from tests.crons.making import add_copies, at, due, make, submission, terms
from tests.submitting import claim, finish, run_all, submit

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


def test_removing_a_cron_lets_its_run_go_on(alice: Any) -> None:
    cron = due(make(alice, overlap="replace"), at("10:00"))
    tick(at("10:00"))
    claimed = claim(alice)
    assert claimed is not None
    register.deregister(account=alice, label="tweet")
    assert (CronRun.objects.filter(cron=cron.pk).exists(), Job.objects.get().status) == (False, "processing")
    with pytest.raises(NotFound, match="There is no cron 'tweet' in this account"):
        register.deregister(account=alice, label="tweet")
    finish(claimed)
    judge()
    assert tick(at("10:01")) == 0
    job = Job.objects.get()
    assert (job.status, job.batch.label, job.batch.finished_at is not None) == ("done", "cron_tweet", True)
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


def test_ten_thousand_are_read_page_by_page_each_in_a_few_questions(alice: Any) -> None:
    add_copies(make(alice), 10_000, next_at=at("10:00"))
    labels: list[str] = []
    after = None
    while not labels or after is not None:
        with CaptureQueriesContext(connection) as asked:
            page = crons_of(alice, after=after, limit=200)
        assert len(asked) <= 5
        assert not any("OFFSET" in question["sql"] for question in asked)
        labels += [line.cron.label for line in page.lines]
        after = page.after
    assert labels == [*(f"cron {number:05}" for number in range(10_000)), "tweet"]


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
