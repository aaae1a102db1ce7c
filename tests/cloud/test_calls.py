"""call and map against a service that runs what it gets in an interpreter that knows nothing of the caller."""

import functools
import itertools
import pickle
import threading
from typing import Any

import pytest

import cloud
from cloud import _submit
from tests.cloud.service import Service

pytestmark = pytest.mark.usefixtures("alice_calls")


def add(x: int, y: int = 1) -> int:
    return x + y


class Model:
    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def total(self, times: int) -> int:
        return int(sum(self.weights)) * times


def test_call_returns_a_job_id_and_its_result_comes_back() -> None:
    jid = cloud.call(add, 2, y=5)
    assert isinstance(jid, int)
    assert cloud.result(jid) == 7


def test_map_returns_successive_ids_and_results_in_order(alice_calls: Service) -> None:
    cloud.call(add, 1)
    jids = cloud.map(add, [1, 2, 3], [10, 20, 30])
    assert list(jids) == [2, 3, 4]
    assert cloud.result(jids) == [11, 22, 33]
    assert alice_calls.headers_of("/api/v1/jobs")[1]["map"] is True


def test_map_fills_shorter_iterables_with_none() -> None:
    assert cloud.result(cloud.map(lambda x, y: (x, y), [1, 2], [3])) == [(1, 3), (2, None)]


def test_map_of_nothing_starts_nothing(alice_calls: Service) -> None:
    assert list(cloud.map(add, [])) == []
    assert alice_calls.requests == []


@pytest.mark.parametrize("items", [range(10_001), itertools.count()], ids=["long", "endless"])
def test_map_says_its_limit(items: Any) -> None:
    with pytest.raises(ValueError, match="at most 10,000"):
        cloud.map(add, items)


def test_map_needs_an_iterable_and_refuses_keywords() -> None:
    with pytest.raises(ValueError, match="at least one iterable"):
        cloud.map(add)
    with pytest.raises(ValueError, match="leave out y"):
        cloud.map(add, [1], y=2)
    with pytest.raises(TypeError, match="not iterable"):
        cloud.map(add, 3)  # type: ignore[arg-type]


def test_what_is_not_callable_is_refused() -> None:
    with pytest.raises(TypeError, match="3 is not callable"):
        cloud.call(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"z": 2})])
def test_arguments_that_do_not_fit_are_refused_before_sending(alice_calls: Service, args: Any, kwargs: Any) -> None:
    with pytest.raises(TypeError, match=r"add.* cannot be called like this"):
        cloud.call(add, *args, **kwargs)
    assert alice_calls.requests == []


def test_items_that_do_not_fit_are_refused_before_sending(alice_calls: Service) -> None:
    with pytest.raises(TypeError, match="too many positional"):
        cloud.map(add, [1], [2], [3])
    assert alice_calls.requests == []


def test_builtin_functions_run() -> None:
    assert cloud.result(cloud.call(max, 3, 8)) == 8
    assert cloud.result(cloud.call(dict, a=1)) == {"a": 1}


def test_lambdas_closures_methods_and_partials_run() -> None:
    factor = 3
    calls = [
        cloud.call(lambda x: x * factor, 5),
        cloud.call(Model([1, 2]).total, 2),
        cloud.call(functools.partial(add, y=4), 1),
    ]
    assert cloud.result(calls) == [15, 6, 5]


def test_instances_of_own_classes_travel_as_items_and_come_back() -> None:
    (model,) = cloud.result(cloud.map(lambda item: Model(item.weights * 2), [Model([1, 2])]))
    assert isinstance(model, Model)
    assert model.weights == [1, 2, 1, 2]


def test_numpy_arrays_travel() -> None:
    numpy = pytest.importorskip("numpy")
    found = cloud.result(cloud.map(lambda array: array.sum(), [numpy.arange(4), numpy.ones(3)]))
    assert [int(value) for value in found] == [6, 3]


def test_an_argument_that_cannot_travel_is_named_by_its_path() -> None:
    model = Model(threading.Lock())
    with pytest.raises(pickle.PicklingError, match=r"argument 2: \['model'\]\.weights: cannot pickle '_thread.lock'"):
        cloud.call(add, 1, {"model": model})
    with pytest.raises(pickle.PicklingError, match=r"argument 'y': .*cannot pickle"):
        cloud.call(add, 1, y=model)
    with pytest.raises(pickle.PicklingError, match=r"item 1, argument 1: \.weights: cannot pickle"):
        cloud.map(add, [1, model])


def test_a_variable_of_a_function_that_cannot_travel_is_named() -> None:
    lock = threading.Lock()
    with pytest.raises(pickle.PicklingError, match=r"variable 'lock': cannot pickle '_thread.lock'"):
        cloud.call(lambda: lock.locked() or None)


def test_too_much_data_says_its_size_and_points_at_files(alice_calls: Service) -> None:
    with pytest.raises(cloud.CloudException, match=r"16,\d{3},\d{3} bytes.*cloud\.files") as refused:
        cloud.call(len, bytes(16_000_000))
    assert refused.value.status == "too_large"
    with pytest.raises(cloud.CloudException, match="item 1"):
        cloud.map(len, [b"", bytes(16_000_001)])
    assert alice_calls.requests == []


def test_the_function_is_sent_once_and_again_when_the_service_forgot_it(alice_calls: Service) -> None:
    for _ in range(2):
        cloud.call(add, 1)
    alice_calls.functions.clear()
    assert cloud.result(cloud.call(add, 4)) == 5
    sizes = [header["function"]["size"] > 0 for header in alice_calls.headers_of("/api/v1/jobs")]
    assert sizes == [True, False, False, True]


def test_a_large_map_goes_in_parts_of_one_submit(alice_calls: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_submit, "_REQUEST_BYTES", 4000)
    alice_calls.runs_jobs = False
    jids = cloud.map(len, [bytes(1500)] * 5)
    headers = alice_calls.headers_of("/api/v1/jobs")
    assert [(header["first"], len(header["sizes"]), header["total"]) for header in headers] == [
        (0, 2, 5),
        (2, 2, 5),
        (4, 1, 5),
    ]
    assert len({header["idempotency_key"] for header in headers}) == 1
    assert len(jids) == len(alice_calls.jobs) == 5


def test_a_submit_says_where_it_comes_from(alice_calls: Service) -> None:
    cloud.call(add, 1)
    (header,) = alice_calls.headers_of("/api/v1/jobs")
    assert header["client"]["version"] == cloud.__version__
    assert set(header["client"]) == {"python", "version", "hostname", "pid"}
    assert header["function"]["name"] == "add"
