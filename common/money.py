"""Money and compute time as exact integers.

A *charge* is an integer: run time in milliseconds x cores x price in millionths of a dollar per
core-hour. Charges add up without rounding; only what is shown is rounded.
"""

from decimal import Decimal

MS_PER_HOUR = 3_600_000
MICROS_PER_DOLLAR = 1_000_000
CHARGE_PER_DOLLAR = MS_PER_HOUR * MICROS_PER_DOLLAR


def charge_of(*, run_ms: int, cores: int, price_micros: int) -> int:
    """The charge of a run: milliseconds x cores x micro-dollars per core-hour."""
    return run_ms * cores * price_micros


def dollars(charge: int) -> Decimal:
    """A charge in dollars, exact."""
    return Decimal(charge) / CHARGE_PER_DOLLAR


def charge_of_dollars(amount: Decimal) -> int:
    """The charge of an amount, exact for amounts of up to six decimals."""
    return int(amount * CHARGE_PER_DOLLAR)


def compute_hours(*, core_ms: int, compute_units: Decimal) -> Decimal:
    """Core-milliseconds in compute-unit hours, as prices were quoted: core-hours x units."""
    return Decimal(core_ms) * compute_units / MS_PER_HOUR


def format_dollars(amount: Decimal) -> str:
    """Dollars with enough digits that a non-zero amount never reads as zero: $0.60, $0.073, −$0.0000014."""
    if amount == 0:
        return "$0.00"
    digits = 2
    if abs(amount) < 1:
        # Two significant digits, and never fewer than two decimals.
        digits = max(2, 1 - amount.adjusted())
    sign = "−" if amount < 0 else ""
    return f"{sign}${abs(amount):,.{digits}f}"
