"""Prices of what is not a core: dated rows that are added and never changed."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from billing.models import Rate, RateKind
from common.exceptions import Conflict, Refused
from common.money import MICROS_PER_DOLLAR

MOST = Decimal(1_000_000)  # dollars for one unit


class RateMissing(Exception):
    """Nothing says what a unit costs at a time: an operator has to add a rate that begins before it."""


def add_rate(*, kind: RateKind, price: Decimal, effective_from: datetime) -> Rate:
    """Let a unit cost so many dollars from a time on. Raises Refused, for a time that is over too."""
    check_rate(kind=kind, price=price, effective_from=effective_from)
    return Rate.objects.create(kind=kind, micros=int(price * MICROS_PER_DOLLAR), effective_from=effective_from)


def check_rate(*, kind: RateKind, price: Decimal, effective_from: datetime) -> None:
    """Raises Refused for a rate that cannot be added."""
    if not price.is_finite() or not 0 <= price <= MOST or price * MICROS_PER_DOLLAR % 1:
        raise Refused("bad_price", f"A price is from 0 to {MOST:,} dollars, with six decimals at most, not {price}.")
    if effective_from < timezone.now().replace(second=0, microsecond=0):
        raise Refused("bad_time", "A price begins now or later: what was charged does not change afterwards.")
    if Rate.objects.filter(kind=kind, effective_from=effective_from).exists():
        raise Conflict("rate_overlaps", "Another price begins at the same moment: choose another time.")


def rate_at(kind: RateKind, moment: datetime) -> int:
    """Millionths of a dollar for a unit at a time. Raises RateMissing."""
    rate = Rate.objects.filter(kind=kind, effective_from__lte=moment).order_by("-effective_from").first()
    if rate is None:
        raise RateMissing(f"there is no rate of {kind} at {moment:%Y-%m-%d %H:%M}")
    return rate.micros
