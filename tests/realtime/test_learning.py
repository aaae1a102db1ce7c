"""Run times are learned from usage, once, and found again for jobs that are alike."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import Batch, Function, UsageRecord
from jobs.services.delete import delete_jobs
from jobs.states import Status
from realtime.capacity.estimate import Basis, Estimate
from realtime.models import Quote, RunTime, UsageCursor
from realtime.selectors.estimates import estimates_of
from realtime.selectors.likeness import likeness_of
from realtime.services.learn import forget, learn
from tests.submitting import claim, finish, submit

pytestmark = pytest.mark.usefixtures("base_environment")


def run(account: Any, *, run_ms: int = 1000, status: Status = Status.DONE, **fields: Any) -> Batch:
    """A batch that has run."""
    batch = submit(account, **fields)
    options = fields.get("options", {})
    while found := claim(account, core_type=options.get("type", "c1"), cores=options.get("cores", 1)):
        finish(found, run_ms=run_ms, status=status)
    return batch


def expected(batch: Batch) -> Estimate | None:
    return estimates_of(likeness_of([batch.pk])).get(batch.pk)


def test_mean_and_number_of_runs_are_known_after_they_ended(alice: Any) -> None:
    batch = run(alice, run_ms=4000, count=3)
    assert expected(batch) is None
    assert learn() == 3
    found = expected(batch)
    assert found
    assert (found.runs, found.basis, found.each.expected) == (3, Basis.CODE, 4.0)


def test_each_run_is_learned_once(alice: Any) -> None:
    batch = run(alice, count=3)
    assert [learn(), learn()] == [3, 0]
    run(alice, run_ms=3000)
    assert learn() == 1
    found = expected(batch)
    assert found
    assert (found.runs, found.each.expected) == (4, 1.5)


@pytest.mark.parametrize(
    ("other", "basis"),
    [
        ({}, Basis.CODE),
        ({"options": {"label": "nightly", "priority": 1}}, Basis.CODE),
        ({"function": b"another version of it"}, Basis.FUNCTION),
        ({"options": {"env_vars": {"DEPTH": "3"}}}, Basis.FUNCTION),
        ({"options": {"max_runtime": 5}}, Basis.FUNCTION),
        ({"name": "decode"}, Basis.ACCOUNT),
        ({"options": {"type": "c2"}}, None),
    ],
)
def test_what_is_alike(alice: Any, other: dict[str, Any], basis: Basis | None) -> None:
    run(alice)
    learn()
    found = expected(submit_like(alice, **other))
    assert (found.basis if found else None) == basis


def submit_like(account: Any, *, name: str = "encode", **fields: Any) -> Batch:
    batch = submit(account, **fields)
    if name != "encode":
        batch.function = Function.objects.create(account=account, module="videos", name=name)
        batch.save()
    return batch


def test_a_stranger_has_what_all_have_in_common(alice: Any, charlie: Any) -> None:
    run(alice, run_ms=7000)
    learn()
    found = expected(submit(charlie))
    assert found
    assert (found.basis, found.each.expected) == (Basis.INSTALLATION, 7.0)


def test_cores_are_known_apart(alice: Any) -> None:
    run(alice, options={"type": "c2", "cores": 4}, run_ms=1000)
    learn()
    found = expected(submit(alice, options={"type": "c2", "cores": 8}))
    assert found
    assert found.basis == Basis.ACCOUNT


@pytest.mark.parametrize("status", [Status.ERROR, Status.KILLED])
def test_runs_that_did_not_return_say_nothing(alice: Any, status: Status) -> None:
    batch = run(alice, status=status)
    assert learn() == 1
    assert expected(batch) is None


def test_deleted_jobs_are_passed_over(alice: Any) -> None:
    run(alice)
    delete_jobs(account=alice, jids=[1])
    assert learn() == 1
    assert not RunTime.objects.exists()
    assert UsageCursor.objects.get().last_id == UsageRecord.objects.get().pk


def test_a_rival_that_was_faster_leaves_nothing_to_learn(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run(alice)
    monkeypatch.setattr("realtime.services.learn.move_cursor", lambda *_, **__: False)
    assert learn() == 0
    assert not RunTime.objects.exists()


def test_what_had_been_expected_is_kept_from_before_the_first_run(alice: Any) -> None:
    first, second = run(alice, run_ms=4000), submit(alice, count=2)
    learn()
    for run_ms in (6000, 8000):
        found = claim(alice)
        assert found
        finish(found, run_ms=run_ms)
        learn()
    assert Quote.objects.get(pk=first.pk).n == 0
    quote = Quote.objects.get(pk=second.pk)
    assert (quote.n, quote.mean, quote.basis) == (1, 4000.0, Basis.CODE)


def test_short_calls_are_not_quoted(alice: Any) -> None:
    run(alice, run_ms=3)
    learn()
    assert not Quote.objects.exists()


def test_old_versions_are_forgotten(alice: Any) -> None:
    run(alice)
    learn()
    assert forget() == 0
    RunTime.objects.update(updated_at="2020-01-01T00:00Z")
    assert forget() == 4


def test_the_clock_learns(alice: Any) -> None:
    from realtime.duties import DUTIES

    assert learn in [duty.do for duty in DUTIES]


# -- pages -------------------------------------------------------------------------------------


def page_of(client: Client, jid: int) -> str:
    return " ".join(client.get(f"/jobs/{jid}/").content.decode().split())


def test_page_says_that_nothing_is_known(alice: Any, alice_client: Client) -> None:
    submit(alice)
    assert "Nothing like it has run here yet" in page_of(alice_client, 1)


def test_page_of_a_queued_job_has_its_price_tag(alice: Any, alice_client: Client) -> None:
    run(alice, run_ms=36_000, count=3)
    learn()
    page = page_of(alice_client, submit(alice).first_jid)
    assert "Expected run time" in page
    assert "36.0 s" in page
    # 36 s of a c1 core-hour.
    assert "$0.00050" in page
    assert "From 3 runs of this version of the function." in page


def test_page_of_a_finished_job_compares(alice: Any, alice_client: Client) -> None:
    run(alice, run_ms=4000)
    learn()
    batch = run(alice, run_ms=5000)
    learn()
    page = page_of(alice_client, batch.first_jid)
    assert "Had been expected" in page
    assert "It took 25 % more." in page


def test_page_of_a_map_has_the_price_of_all_of_it(alice: Any, alice_client: Client) -> None:
    run(alice, run_ms=36_000)
    learn()
    batch = submit(alice, count=10)
    found = claim(alice)
    assert found
    finish(found, run_ms=36_000)
    page = page_of(alice_client, batch.first_jid + 9)
    assert "With the 9 that are left it will have cost about $0.0050" in page
    while found := claim(alice):
        finish(found, run_ms=36_000)
    learn()
    page = page_of(alice_client, batch.first_jid + 9)
    assert "expected to take 6 m 00 s together" in page
    assert "as expected" in page
