"""The arithmetic of load to come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.capacity.occupancy import Occupancy
from realtime.capacity.profile import habitual_load
from tests.realtime.slow_machines import patient

LOADS = st.lists(st.floats(0, 1e6), min_size=1, max_size=14)


def days(pattern: str) -> list[float]:
    """Loads of an hour on successive days, the last one first: x for load."""
    return [600.0 if mark == "x" else 0.0 for mark in pattern]


@pytest.mark.parametrize(
    ("weeks", "back", "expected"),
    [
        ("", "", 0.0),
        ("", "x", 0.0),
        ("", "xx", 0.0),
        ("", "xxx", 600.0),  # from the fourth day on
        ("xxx", "..x....x....x..", 600.0),  # every Monday
        ("x.x.x.", "", 0.0),  # every other week is no habit
        ("...", "..x...........", 0.0),  # a burst
        ("..", "xxxxx..xxxxx..", 0.0),  # a Saturday after working days
        ("x", "..xxxxx..xxxxx", 0.0),  # a Monday, of which only one is known
        ("xxx", "..xxxxx..xxxxx", 600.0),  # a Monday
        (".....", "xxxx..........", 459.05),  # a habit that is new, and not trusted with all of it
    ],
)
def test_habits(weeks: str, back: str, expected: float) -> None:
    assert habitual_load(days(weeks), days(back)) == pytest.approx(expected, rel=1e-4)


def test_what_came_lately_counts_most() -> None:
    growing = [400.0, 300.0, 200.0, 100.0]
    assert 250 < habitual_load(growing, []) < 400


@patient
@given(LOADS, LOADS)
def test_never_more_than_came_before(weeks: list[float], back: list[float]) -> None:
    assert 0 <= habitual_load(weeks, back) <= max(*weeks, *back) * (1 + 1e-9)


@patient
@given(st.floats(1, 1e6), st.integers(3, 10))
def test_what_is_always_the_same_is_expected(load: float, number: int) -> None:
    assert habitual_load([load] * number, []) == pytest.approx(load)


def cores(*runs: tuple[float, float, float]) -> tuple[float, ...]:
    occupancy = Occupancy(slice_seconds=300, number=4)
    for at, seconds, number in runs:
        occupancy.add(at, seconds=seconds, cores=number)
    return occupancy.cores()


def test_a_run_fills_the_slices_it_lies_in() -> None:
    assert cores((300, 300, 2)) == (0, 2, 0, 0)
    assert cores((150, 300, 1)) == (0.5, 0.5, 0, 0)
    assert cores((0, 0.3, 1)) == (pytest.approx(0.001), 0, 0, 0)


def test_what_lies_outside_is_cut_off() -> None:
    assert cores((-100, 400, 1), (900, 10_000, 3), (5000, 10, 1)) == (1, 0, 0, 3)


@patient
@given(st.lists(st.tuples(st.floats(0, 1200), st.floats(0, 600), st.integers(1, 8)), max_size=20))
def test_no_core_second_is_lost(runs: list[tuple[float, float, int]]) -> None:
    inside = sum((min(at + seconds, 1200) - at) * number for at, seconds, number in runs)
    assert sum(cores(*runs)) * 300 == pytest.approx(inside, abs=1e-3)
