"""Figures in the tables of `picloud`: a little is never shown as nothing."""

from decimal import Decimal

import pytest

from cloud.cli import jobs


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0.00"), ("0.000000014", "$0.000000014"), ("0.0002125", "$0.00021"), ("0.6", "$0.60"), ("12.3", "$12.30")],
)
def test_prices(amount: str, shown: str) -> None:
    assert jobs.format_dollars(Decimal(amount)) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.009, "9 ms"), (0.0, "0 ms"), (1.0, "1.0 s"), (75.25, "75.2 s")])
def test_run_times(seconds: float, shown: str) -> None:
    assert jobs.format_seconds(seconds) == shown
