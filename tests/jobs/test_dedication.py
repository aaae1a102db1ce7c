"""Workers dedicated to an account: its work has a ticket for them and one for everybody."""

from typing import Any

import pytest
from redis import Redis

from jobs.models import Dedication
from jobs.services import dispatch
from jobs.services.dedication import dedicate, dedication_of, free
from jobs.services.dispatch import Group, WorkKind
from tests.submitting import claim, submit

pytestmark = pytest.mark.usefixtures("base_environment")


def tickets(queue: str) -> list[str]:
    """The kinds of work that have a ticket in this queue."""
    return [str(WorkKind.parse(ticket)) for ticket in dispatch._queue(queue).job_ids]


def both(account: Any) -> tuple[list[str], list[str]]:
    return tickets("standard-c1"), tickets(f"reserved-{account.pk}-c1")


@pytest.fixture
def group(alice: Any) -> Group:
    """Alice has a worker on c1, and the clock has seen it."""
    group = Group(alice.pk, "c1")
    dedicate(workers=["host:1:2"], group=group)
    dispatch.reissue_tickets()
    return group


def test_work_stands_in_both_queues(alice: Any, group: Group) -> None:
    submit(alice, count=3)
    kind = f"{alice.pk}-c1-1"
    assert both(alice) == ([kind], [kind])
    submit(alice)
    assert both(alice) == ([kind], [kind])


def test_work_of_others_and_of_other_types_does_not(alice: Any, bob: Any, group: Group) -> None:
    submit(bob)
    submit(alice, options={"type": "c2"})
    assert both(alice) == ([f"{bob.pk}-c1-1"], [])
    assert tickets("standard-c2") == [f"{alice.pk}-c2-1"]


def test_a_ticket_that_is_taken_leaves_the_other(alice: Any, group: Group) -> None:
    submit(alice, count=3)
    kind = WorkKind(alice.pk, "c1", 1)
    dispatch._queue(f"reserved-{alice.pk}-c1").empty()
    dispatch.forget_ticket(kind, reserved=True)
    dispatch.announce_work(kind)
    assert both(alice) == ([str(kind)], [str(kind)])


def test_backlog_of_before_is_announced_when_a_worker_is_dedicated(alice: Any) -> None:
    submit(alice, count=3)
    assert both(alice)[1] == []
    dedicate(workers=["host:1:1"], group=Group(alice.pk, "c1"))
    assert [str(kind) for kind in dispatch.reissue_tickets()] == [f"{alice.pk}-c1-1"]
    assert both(alice) == ([f"{alice.pk}-c1-1"], [f"{alice.pk}-c1-1"])
    assert dispatch.reissue_tickets() == []


def test_redis_that_was_emptied_learns_all_of_it_anew(alice: Any, group: Group, redis: Redis) -> None:
    submit(alice, count=3)
    redis.flushall()
    dispatch.reissue_tickets()
    assert both(alice) == ([f"{alice.pk}-c1-1"], [f"{alice.pk}-c1-1"])


def test_lost_ticket_of_the_group_is_made_again(alice: Any, group: Group) -> None:
    submit(alice, count=3)
    dispatch._queue(f"reserved-{alice.pk}-c1").empty()
    dispatch.reissue_tickets()
    assert both(alice) == ([f"{alice.pk}-c1-1"], [f"{alice.pk}-c1-1"])


def test_queue_goes_with_the_last_worker(alice: Any, group: Group, redis: Redis) -> None:
    submit(alice, count=3)
    assert free(workers=["host:1:2", "unknown"]) == 1
    dispatch.reissue_tickets()
    assert both(alice) == ([f"{alice.pk}-c1-1"], [])
    assert [key for key in redis.keys("*") if b"reserved" in key] == []
    assert claim(alice) is not None


def test_a_worker_is_dedicated_once(alice: Any, bob: Any) -> None:
    dedicate(workers=["a", "b"], group=Group(alice.pk, "c1"))
    dedicate(workers=["b", "c"], group=Group(bob.pk, "c1"))
    assert [dedication_of(name) for name in "abc"] == [
        Group(alice.pk, "c1"), Group(alice.pk, "c1"), Group(bob.pk, "c1")
    ]  # fmt: skip
    assert dedication_of("d") is None
    assert Dedication.objects.count() == 3
