"""join, result and their iterators: order, failures, timeouts, deadlock."""

import pickle
import threading
from typing import Any

import pytest

import cloud
from cloud import _waiting
from tests.cloud.service import Service


class Unbuildable(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def fail(x: Any) -> None:
    raise KeyError(x)


def fail_unbuildably() -> None:
    raise Unbuildable(1, 2)


def started(service: Service, count: int = 1) -> range:
    """Jobs that stay queued until the test finishes them."""
    service.runs_jobs = False
    jids = cloud.map(abs, range(count))
    assert isinstance(jids, range)
    return jids


def done(value: Any) -> dict[str, Any]:
    return {"status": "done", "blob": pickle.dumps(value)}


@pytest.fixture
def as_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICLOUD_JOB_TOKEN", "token")
    monkeypatch.setattr(_waiting, "_DEADLOCK_SECONDS", 0.2)


def test_a_failed_job_raises_with_its_traceback_and_its_exception(alice_calls: Service) -> None:
    jid = cloud.call(fail, 3)
    with pytest.raises(cloud.CloudException, match=rf"Job {jid}: Traceback(.|\n)*KeyError: 3") as failure:
        cloud.result(jid)
    assert (failure.value.jid, failure.value.status, failure.value.reason) == (jid, "error", "exception")
    assert repr(failure.value.__cause__) == "KeyError(3)"


def test_an_exception_that_cannot_be_rebuilt_stays_as_text(alice_calls: Service) -> None:
    with pytest.raises(cloud.CloudException, match="1 and 2") as failure:
        cloud.result(cloud.call(fail_unbuildably))
    assert failure.value.__cause__ is None


def test_ignored_errors_stand_in_the_place_of_values(alice_calls: Service) -> None:
    values = cloud.result([cloud.call(abs, -1), cloud.call(fail, 3)], ignore_errors=True)
    assert values[0] == 1
    assert isinstance(values[1], cloud.CloudException)


def test_results_come_in_the_order_asked_for_each_time_asked_for(alice_calls: Service) -> None:
    jids = cloud.map(abs, [1, 2, 3])
    assert cloud.result([jids[2], jids[0], jids[2]]) == [3, 1, 3]
    assert cloud.result([]) == []


def test_a_join_fails_while_other_jobs_still_wait(alice_calls: Service) -> None:
    jids = started(alice_calls, 3)
    alice_calls.finish(jids[1], "error", error="Traceback: no", is_exception=True, blob=pickle.dumps(KeyError(5)))
    with pytest.raises(cloud.CloudException, match="Traceback: no") as failure:
        cloud.join(jids, timeout=30)
    assert failure.value.jid == jids[1]
    assert repr(failure.value.__cause__) == "KeyError(5)"


def test_a_join_that_ignores_errors_waits_for_all(alice_calls: Service) -> None:
    jids = started(alice_calls, 2)
    alice_calls.finish(jids[0], "killed", reason="user")
    with pytest.raises(cloud.CloudTimeoutError, match=f"job {jids[1]}"):
        cloud.join(jids, timeout=0.1, ignore_errors=True)


@pytest.mark.parametrize(
    ("status", "reason", "sentence"),
    [
        ("killed", "user", "It was killed"),
        ("stalled", "dependency", "It never started"),
        ("killed", "out_of_memory", "(?s)killed.*TIP: Give it more memory"),
    ],
)
def test_jobs_without_a_traceback_get_a_sentence(alice_calls: Service, status: str, reason: str, sentence: str) -> None:
    (jid,) = started(alice_calls)
    alice_calls.finish(jid, status, reason=reason)
    with pytest.raises(cloud.CloudException, match=sentence) as failure:
        cloud.result(jid)
    assert failure.value.status == status


def test_a_wait_that_is_too_long_says_for_which_jobs(alice_calls: Service) -> None:
    jids = started(alice_calls, 3)
    alice_calls.finish(jids[0], **done(1))
    with pytest.raises(cloud.CloudTimeoutError, match=r"within 0\.1 seconds: job 2-3"):
        cloud.result(jids, timeout=0.1)


def test_an_unknown_job_is_named(alice_calls: Service) -> None:
    with pytest.raises(cloud.CloudException, match="no job 77") as refused:
        cloud.result(77)
    assert refused.value.status == "job_unknown"
    with pytest.raises(cloud.CloudException, match="no job 77"):
        cloud.status(77)


def test_results_that_did_not_fit_one_answer_are_asked_for_again(alice_calls: Service) -> None:
    jids = cloud.map(abs, range(5))
    plain = alice_calls.RequestHandlerClass.results  # type: ignore[attr-defined]

    def two_at_a_time(handler: Any) -> bool:
        if handler.path != "/api/v1/results":
            return False
        question = alice_calls.requests[-1][2]
        question["jids"] = [[question["jids"][0][0], min(question["jids"][0][0] + 1, question["jids"][0][1])]]
        plain(handler, question)
        return True

    alice_calls.before = two_at_a_time
    assert cloud.result(jids) == [0, 1, 2, 3, 4]
    assert len(alice_calls.headers_of("/api/v1/results")) == 3


def test_iresult_goes_on_after_a_failed_job(alice_calls: Service) -> None:
    results = cloud.iresult([cloud.call(abs, -1), cloud.call(fail, 3), cloud.call(abs, -2)])
    assert next(results) == 1
    with pytest.raises(cloud.CloudException):
        next(results)
    assert list(results) == [2]


def test_iresult_fetches_ahead(alice_calls: Service) -> None:
    jids = cloud.map(abs, range(7))
    assert list(cloud.iresult(jids, num_in_parallel=3)) == list(range(7))
    assert [header["jids"] for header in alice_calls.headers_of("/api/v1/results")] == [[[1, 3]], [[4, 6]], [[7, 7]]]


def test_iresult_gives_the_first_result_before_the_second_job_is_finished(alice_calls: Service) -> None:
    jids = started(alice_calls, 2)
    alice_calls.finish(jids[0], **done("first"))
    results = cloud.iresult(jids, timeout=0.1)
    assert next(results) == "first"
    with pytest.raises(cloud.CloudTimeoutError):
        next(results)
    alice_calls.finish(jids[1], **done("second"))
    assert next(results) == "second"


def test_iresult_can_put_failures_in_the_place_of_values(alice_calls: Service) -> None:
    (value,) = cloud.iresult([cloud.call(fail, 3)], ignore_errors=True)
    assert isinstance(value, cloud.CloudException)


def test_iresult_unordered_gives_finished_jobs_and_skips_failed_ones(alice_calls: Service) -> None:
    jids = [cloud.call(abs, -1), cloud.call(fail, 3), cloud.call(abs, -2)]
    assert dict(cloud.iresult_unordered(jids)) == {jids[0]: 1, jids[2]: 2}


@pytest.mark.usefixtures("as_a_job")
def test_a_job_whose_children_never_start_is_told_about_deadlock(alice_calls: Service) -> None:
    jids = started(alice_calls, 2)
    with pytest.raises(cloud.CloudTimeoutError, match="perhaps every core waits"):
        cloud.join(jids)


@pytest.mark.usefixtures("as_a_job")
def test_deadlock_is_not_suspected_when_a_child_runs_or_the_check_is_off(alice_calls: Service) -> None:
    jids = started(alice_calls, 2)
    alice_calls.finish(jids[0], "processing")
    threading.Timer(0.5, lambda: [alice_calls.finish(jid, **done(jid)) for jid in jids]).start()
    assert cloud.result(jids) == list(jids)
    jids = started(alice_calls, 2)
    with pytest.raises(cloud.CloudTimeoutError, match="Not finished within"):
        cloud.join(jids, timeout=0.4, deadlock_check=False)


def test_exceptions_of_the_client_can_be_pickled() -> None:
    failure = cloud.CloudTimeoutError("too long", jid=4, status="killed", reason="max_runtime")
    again = pickle.loads(pickle.dumps(failure))
    assert type(again) is cloud.CloudTimeoutError
    assert (str(again), again.jid, again.reason) == (str(failure), 4, "max_runtime")
