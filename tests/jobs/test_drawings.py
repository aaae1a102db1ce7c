"""Bars, charts and looks: the numbers behind what is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.display.bars import bar_of
from jobs.display.charts import HEIGHT, WIDTH, chart_of, metrics_charts
from jobs.display.looks import look_of, look_of_map
from jobs.models import Batch
from jobs.states import Reason, Status

COUNTS = st.fixed_dictionaries({status: st.integers(0, 10_000) for status in Status})


@given(counts=COUNTS)
def test_bar_is_never_wider_than_its_place(counts: dict[Status, int]) -> None:
    drawn = bar_of(counts, total=sum(counts.values()))
    assert sum(segment.width for segment in drawn.segments) <= drawn.width + 0.1


@given(counts=COUNTS)
def test_each_status_that_occurs_is_seen(counts: dict[Status, int]) -> None:
    drawn = bar_of(counts, total=sum(counts.values()))
    assert {segment.status for segment in drawn.segments} == {status for status, n in counts.items() if n}
    assert all(segment.width > 1 for segment in drawn.segments)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e12)), min_size=2, max_size=1000))
def test_chart_stays_in_its_frame(points: list[tuple[float, float]]) -> None:
    drawn = chart_of("Memory", sorted(points), limit=3e8, floor=1e6)
    assert drawn
    pairs = [tuple(map(float, pair.split(","))) for pair in drawn.line.split()]
    assert len(pairs) <= 300
    assert all(-0.1 <= x <= WIDTH + 0.1 and -0.1 <= y <= HEIGHT + 0.1 for x, y in pairs)


def test_peak_is_never_thinned_away() -> None:
    points = [(float(second), 1.0) for second in range(5000)]
    points[2345] = (2345.0, 100.0)
    drawn = chart_of("CPU", points, limit=None, floor=10)
    assert drawn
    assert f",{HEIGHT * (1 - 100 / 115):.1f}" in drawn.line


def test_one_sample_is_no_chart() -> None:
    assert metrics_charts([(0.0, 50.0, 1e6)], cores=1, memory_limit=3e8) == []


def test_limit_far_above_is_written_and_not_drawn() -> None:
    (_, memory) = metrics_charts([(0.0, 5.0, 1e6), (1.0, 5.0, 2e6)], cores=1, memory_limit=8e9)
    assert memory.limit == 8e9
    assert memory.limit_y is None


def test_every_status_and_reason_has_words() -> None:
    looks = {str(look_of(status, reason)) for status in Status for reason in Reason}
    assert all(look and "_" not in look for look in looks)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"n_processing": 1, "n_error": 3, "n_queued": 6}, "Running"),
        ({"n_done": 1, "n_queued": 9}, "Running"),
        ({"n_queued": 10}, "Queued"),
        ({"n_waiting": 10}, "Waiting"),
        ({"n_done": 10}, "Done"),
        ({"n_done": 7, "n_error": 3}, "Error · 3 of 10"),
        ({"n_done": 5, "n_killed": 5}, "Killed · 5 of 10"),
    ],
)
def test_map_is_called_by_what_matters_most(counts: dict[str, int], words: str) -> None:
    assert str(look_of_map(Batch(size=10, received=10, **counts))) == words


def test_map_that_is_still_sent_says_so() -> None:
    assert str(look_of_map(Batch(size=10, received=4, n_done=4))) == "Arriving"
