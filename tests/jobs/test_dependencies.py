"""Jobs that wait for jobs."""

from typing import Any

from jobs.models import Job
from jobs.states import Status
from tests.submitting import Api, claim, finish, submit


def after(jid: int, **options: Any) -> dict[str, Any]:
    return {"options": {"depends_on": [[jid, jid]], **options}}


def status_of(jid: int) -> str:
    return Job.objects.get(jid=jid).status


def end_next(user: Any, status: Status) -> None:
    found = claim(user)
    assert found is not None
    finish(found, status=status)


def test_it_waits_until_the_other_is_done(alice: Any) -> None:
    submit(alice)
    submit(alice, **after(1))
    assert status_of(2) == "waiting"
    end_next(alice, Status.DONE)
    assert status_of(2) == "queued"


def test_error_stalls_it_and_those_behind_it(alice: Any) -> None:
    submit(alice)
    submit(alice, **after(1))
    submit(alice, **after(2))
    end_next(alice, Status.ERROR)
    assert (status_of(2), status_of(3)) == ("stalled", "stalled")
    assert Job.objects.get(jid=3).reason == "dependency"


def test_errors_can_be_ignored(alice: Any) -> None:
    submit(alice)
    submit(alice, **after(1, depends_on_errors="ignore"))
    end_next(alice, Status.ERROR)
    assert status_of(2) == "queued"


def test_kill_of_the_other_stalls_it(alice: Any, alice_api: Api) -> None:
    submit(alice)
    submit(alice, **after(1))
    alice_api.post("kill", {"jids": [[1, 1]]})
    assert status_of(2) == "stalled"


def test_finished_dependency_counts_at_once(alice: Any) -> None:
    submit(alice)
    end_next(alice, Status.DONE)
    submit(alice, **after(1))
    assert status_of(2) == "queued"


def test_failed_dependency_stalls_at_once(alice: Any) -> None:
    submit(alice)
    end_next(alice, Status.ERROR)
    submit(alice, **after(1))
    assert status_of(2) == "stalled"


def test_a_map_waits_for_all_of_a_map(alice: Any) -> None:
    submit(alice, count=2)
    submit(alice, count=2, options={"depends_on": [[1, 2]]})
    end_next(alice, Status.DONE)
    assert status_of(3) == "waiting"
    end_next(alice, Status.DONE)
    assert (status_of(3), status_of(4)) == ("queued", "queued")


def test_a_long_chain_is_no_deep_recursion(alice: Any, alice_api: Api) -> None:
    submit(alice)
    for jid in range(1, 120):
        submit(alice, **after(jid))
    alice_api.post("kill", {"jids": [[1, 1]]})
    assert set(Job.objects.exclude(jid=1).values_list("status", flat=True)) == {"stalled"}


def test_somebody_elses_job_cannot_be_waited_for(alice: Any, charlie_api: Api) -> None:
    submit(alice)
    assert charlie_api.submit(**after(1)).status_code == 404
