"""The arithmetic of estimates."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.capacity.estimate import Basis, Estimate, estimate, time_left
from realtime.capacity.stats import Stats
from tests.realtime.slow_machines import patient

RUN_TIMES = st.lists(st.integers(0, 10_000_000), max_size=50)


@patient
@given(RUN_TIMES, RUN_TIMES)
def test_two_parts_put_together_are_what_all_of_them_are(some: list[int], others: list[int]) -> None:
    together, at_once = Stats.of(some).with_(Stats.of(others)), Stats.of(some + others)
    assert together.n == at_once.n == len(some) + len(others)
    assert together.mean == pytest.approx(at_once.mean)
    assert together.m2 == pytest.approx(at_once.m2, abs=1e-3 * max(1.0, at_once.mean))


@patient
@given(st.lists(st.integers(0, 10_000_000), min_size=2, max_size=50))
def test_mean_and_deviation_are_those_of_the_textbook(values: list[int]) -> None:
    found = Stats.of(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.deviation == pytest.approx(statistics.stdev(values), abs=1e-3 * max(1.0, found.mean))


def test_no_digits_are_lost_where_times_are_long_and_alike() -> None:
    week = 7 * 24 * 3600 * 1000
    assert Stats.of([week + 1, week + 2, week + 3]).deviation == pytest.approx(1.0)


@patient
@given(
    st.lists(st.integers(1, 10_000_000), min_size=1, max_size=30), st.sampled_from(list(Basis)), st.integers(1, 10_000)
)
def test_bounds_hold_what_is_expected(values: list[int], basis: Basis, count: int) -> None:
    found = estimate(Stats.of(values), basis, count=count)
    for one in (found.each, found.total):
        assert 0 <= one.low <= one.expected <= one.high < math.inf
    assert found.total.expected == pytest.approx(found.each.expected * count)


def width(found: Estimate) -> float:
    return (found.total.high - found.total.low) / found.total.expected


def test_many_runs_of_a_function_are_surer_together_than_each() -> None:
    known = Stats.of([3000, 4000, 5000] * 100)
    assert width(estimate(known, Basis.CODE, count=10_000)) < width(estimate(known, Basis.CODE, count=1)) / 5


def test_many_runs_of_an_unknown_function_are_no_surer() -> None:
    # All of them share how far their function is from the others.
    known = Stats.of([3000, 4000, 5000] * 100)
    assert width(estimate(known, Basis.ACCOUNT, count=10_000)) == pytest.approx(
        width(estimate(known, Basis.ACCOUNT, count=1))
    )


def test_one_run_says_little() -> None:
    assert width(estimate(Stats.of([4000]), Basis.CODE, count=1)) > 1.0


def test_nine_of_ten_lie_between_the_bounds() -> None:
    # Quantiles of a log-normal distribution whose standard deviation is half of its mean.
    sigma = math.sqrt(math.log(1.25))
    normal = statistics.NormalDist(-(sigma**2) / 2, sigma)
    sample = [4000 * math.exp(normal.inv_cdf((n + 0.5) / 2000)) for n in range(2000)]
    found = estimate(Stats.of(sample), Basis.CODE, count=1)
    inside = sum(found.each.low <= value / 1000 <= found.each.high for value in sample)
    assert inside / len(sample) == pytest.approx(0.9, abs=0.01)


def test_of_runs_that_are_alike_the_rest_is_left() -> None:
    alike = Stats.of([10_000, 10_001, 9_999])
    assert time_left(alike, elapsed=0) == pytest.approx(10.0)
    assert time_left(alike, elapsed=4) == pytest.approx(6.0, abs=0.01)


def test_where_runs_differ_much_a_long_one_has_more_left_the_longer_it_ran() -> None:
    differing = Stats.of([1_000] * 9 + [100_000])
    left = [time_left(differing, elapsed=elapsed) for elapsed in (1, 10, 100, 1000)]
    assert left == sorted(left)
    assert left[0] > 10


@patient
@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=30), st.floats(0, 1e6))
def test_time_left_is_never_negative(values: list[int], elapsed: float) -> None:
    assert 0 <= time_left(Stats.of(values), elapsed=elapsed) < math.inf
