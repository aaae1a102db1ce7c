"""Submits and holds at the same moment: none passes the other unseen."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from jobs.models import Batch, Job
from jobs.services.holds import lift_hold, place_hold
from jobs.states import Reason
from tests.submitting import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("core_types")]
SUBMITTERS, EACH = 3, 12


def together(*acts: Callable[[], None]) -> None:
    """Run these at the same time, and raise what one of them raised."""
    failures: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as failure:  # noqa: BLE001 -- raised again in the test's own thread
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def submit_some(api: Api) -> None:
    for n in range(EACH):
        assert api.submit([b"x"] * (n % 3 + 1)).status_code == 201


def test_nothing_is_queued_once_a_hold_is_placed(alice: Any) -> None:
    apis = [Api(alice) for _ in range(SUBMITTERS)]

    def hold() -> None:
        place_hold(account=alice, source="budget-1", reason=Reason.BUDGET, sentence="Spent.")

    together(*[lambda api=api: submit_some(api) for api in apis], hold)
    assert set(Job.objects.values_list("status", "reason")) == {("waiting", "budget")}
    check_counters()


def test_nothing_stays_behind_when_it_is_lifted(alice: Any) -> None:
    apis = [Api(alice) for _ in range(SUBMITTERS)]

    def on_and_off() -> None:
        for _ in range(6):
            place_hold(account=alice, source="budget-1", reason=Reason.BUDGET, sentence="Spent.")
            lift_hold(account=alice, source="budget-1")

    together(*[lambda api=api: submit_some(api) for api in apis], on_and_off)
    assert set(Job.objects.values_list("status", "reason")) == {("queued", "")}
    check_counters()


def check_counters() -> None:
    for batch in Batch.objects.all():
        jobs = Job.objects.filter(batch=batch)
        assert (batch.n_queued, batch.n_waiting) == (
            jobs.filter(status="queued").count(),
            jobs.filter(status="waiting").count(),
        )
