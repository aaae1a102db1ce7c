"""Numbers and times as pages write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from common.templatetags.picloud import duration, hours, price, relative, size

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (24_100_000, "24.1 MB"), (999_999, "1.0 MB"), (None, "–")],
)
def test_size(value: float | None, words: str) -> None:
    assert size(value) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=6), "6 d ago"),
        (timedelta(days=30), "16 May"),
        (timedelta(days=300), "19 Aug 2025"),
        (timedelta(hours=-1), "15 Jun 13:00"),
    ],
)
def test_relative_time(ago: timedelta, words: str) -> None:
    assert relative(NOW - ago, NOW) == words


@pytest.mark.parametrize(("amount", "words"), [("0.125", "$0.125"), ("0.050000", "$0.05"), ("1000", "$1,000.00")])
def test_price_has_all_its_digits(amount: str, words: str) -> None:
    assert price(Decimal(amount)) == words


@pytest.mark.parametrize(("value", "words"), [("0", "0.00"), ("0.0000123", "0.000012"), ("12", "12.00")])
def test_compute_hours_never_read_as_zero(value: str, words: str) -> None:
    assert hours(Decimal(value)) == words


def test_duration_takes_milliseconds_too() -> None:
    assert duration(64_000) == "1 m 04 s"
