"""The arithmetic of `make bench`, and what stands in its reports."""

import pytest

from benchmarks.drivers.serve import WrongResult, bulk, round_trips
from benchmarks.harness.figures import Table, efficiency, for_many, median_of, megabytes_per_second, percentile, spread
from benchmarks.harness.report import as_markdown, as_text
from benchmarks.measures.pages import parse

PRINTED = """filled 10,000 batches in 1 s

10,000 batches                     p50 ms   p95 ms   p95 CPU ms   rows
  status                               12.5     20.0         15.0     50
  status and type                       8.0      9.1          8.5      2

1,000,000 batches                     p50 ms   p95 ms   p95 CPU ms   rows
  status                               13.5     21.0         16.0     50
"""


class Honest:
    def call(self, _task: str, item: object) -> object:
        return item

    def map(self, _task: str, items: list[object]) -> list[object]:
        return list(items)


class Lazy(Honest):
    def map(self, _task: str, items: list[object]) -> list[object]:
        return list(items)[:-1]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.001, 1)])
def test_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_one_bad_round_does_not_decide() -> None:
    assert median_of([[1, 2, 3], [2, 3, 4], [900, 900, 900]], 0.5) == 3


def test_two_workers_that_lose_no_time_are_fully_efficient() -> None:
    assert efficiency(tasks=200, milliseconds=10, workers=2, seconds=1.0) == 1.0
    assert efficiency(tasks=200, milliseconds=10, workers=2, seconds=1.25) == pytest.approx(0.8)


def test_few_tasks_are_scaled_to_many() -> None:
    assert for_many(3.0, done=1_000, wanted=10_000) == 30.0


def test_payload_counts_both_ways() -> None:
    assert megabytes_per_second(tasks=1_000, size=100_000, seconds=2.0) == 100.0


def test_spread_shows_least_median_greatest() -> None:
    assert spread([3.0, 1.0, 2.0], ".0f") == "1 / 2 / 3"


def test_client_measures_each_call() -> None:
    assert len(round_trips(Honest(), number=7)["ms"]) == 7


def test_client_that_loses_a_result_is_caught() -> None:
    with pytest.raises(WrongResult):
        bulk(Lazy(), number=10)


def test_what_the_panel_prints_is_understood() -> None:
    times = parse(PRINTED)
    assert times[10_000] == {"status": (12.5, 20.0, 15.0), "status and type": (8.0, 9.1, 8.5)}
    assert times[1_000_000]["status"] == (13.5, 21.0, 16.0)


def test_table_has_all_its_cells_in_both_forms() -> None:
    table = Table(
        key="a", title="Calls", columns=["who", "ms"], rows=[["ours", "5.1"], ["theirs", "3.7"]], notes=["Warm."]
    )
    assert "| ours | 5.1 |" in as_markdown(table)
    assert "  theirs  3.7" in as_text(table)
