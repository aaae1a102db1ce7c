"""How long jobs are said to have run: the sandbox reports, the worker checks."""

from worker.reports import believed_ms


def test_an_honest_report_is_believed() -> None:
    assert believed_ms(970, observed_ms=1000, unwatched_ms=0) == 970


def test_a_report_of_nothing_is_not() -> None:
    assert believed_ms(0, observed_ms=10_000, unwatched_ms=0) == 9800


def test_nobody_runs_longer_than_time_goes_by() -> None:
    assert believed_ms(5000, observed_ms=1000, unwatched_ms=0) == 1000


def test_time_spent_elsewhere_is_not_charged() -> None:
    assert believed_ms(100, observed_ms=1000, unwatched_ms=900) == 100
