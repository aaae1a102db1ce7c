"""When a worker ends jobs because of what their call or map may cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from environments.models import Environment
from jobs.models import Job
from tests.submitting import claim, submit
from worker.cost import NEVER, CostWatch

# A cent is 720 seconds of a c1 core.
CENT_SECONDS = 720


@pytest.fixture(autouse=True)
def base_environment(db: None) -> None:
    Environment.objects.update_or_create(name="base", defaults={"image": "x", "digest": "test", "python": "3.11"})


def watch(user: Any, *, count: int = 1, worker: str = "w1", **options: Any) -> CostWatch:
    if options:
        submit(user, count=count, options=options)
    found = claim(user, worker=worker)
    assert found is not None
    return CostWatch(found, now=1000.0)


def test_without_a_limit_it_never_ends(alice: Any) -> None:
    found = watch(alice, label="free")
    found.look(10**9)
    assert found.ends_at == NEVER


def test_moment_follows_from_the_price(alice: Any) -> None:
    assert watch(alice, max_cost=0.01).ends_at == pytest.approx(1000 + CENT_SECONDS)


def test_others_use_up_the_same(alice: Any) -> None:
    first = watch(alice, count=2, max_cost=0.01)
    watch(alice, worker="w2")
    Job.objects.update(started_at=timezone.now() - timedelta(seconds=120))
    first.look(1000.5)
    assert first.ends_at == pytest.approx(1000 + CENT_SECONDS), "it is not time to look"
    first.look(2000.0)
    # Of 720 seconds two cores have used 240: each may have half of the rest.
    assert first.ends_at == pytest.approx(2000 + 240, abs=2)


def test_what_is_over_the_limit_ends_at_once(alice: Any) -> None:
    found = watch(alice, max_cost=0.01)
    Job.objects.update(started_at=timezone.now() - timedelta(hours=1))
    found.look(2000.0)
    assert found.ends_at < 2000.0
    found.end()
    assert found.ends_at == NEVER
    assert Job.objects.get().kill_requested_at is not None
