"""Reads of prices. Everybody may know them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from billing.models import Rate, RateKind
from jobs.models import CorePrice, CoreType


@dataclass(frozen=True, kw_only=True)
class Price:
    """A price, from when, and until when another one begins; None when no other is known.

    `reserved` is what a core-hour costs that stands ready for one account; of what is no core it is None.
    """

    amount: Decimal
    reserved: Decimal | None = None
    since: datetime
    until: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Something that costs, with its prices, the newest first."""

    name: str
    about: str
    prices: list[Price]
    core_type: CoreType | None = None

    @property
    def now(self) -> Price | None:
        """The price in force."""
        moment = timezone.now()
        return next((price for price in self.prices if price.is_in_force(moment)), None)

    @property
    def gone(self) -> list[Price]:
        moment = timezone.now()
        return [price for price in self.prices if price.until is not None and price.until <= moment]

    @property
    def to_come(self) -> list[Price]:
        moment = timezone.now()
        return [price for price in self.prices if price.since > moment]


def _prices(rows: list[tuple[Decimal, Decimal | None, datetime]]) -> list[Price]:
    """Prices out of (amount, reserved, since), the newest first: each ends where the next begins."""
    ends = [None, *(since for *_, since in rows)]
    return [
        Price(amount=amount, reserved=reserved, since=since, until=until)
        for (amount, reserved, since), until in zip(rows, ends, strict=False)
    ]


def core_rates() -> list[Priced]:
    """Core types that jobs may use, with the prices of a core-hour."""
    prices: dict[str, list[tuple[Decimal, Decimal | None, datetime]]] = {}
    for price in CorePrice.objects.order_by("-effective_from"):
        own = prices.setdefault(price.core_type_id, [])
        own.append((price.per_core_hour, price.per_reserved_core_hour, price.effective_from))
    return [
        Priced(name=row.code, about=row.description, prices=_prices(prices.get(row.code, [])), core_type=row)
        for row in CoreType.objects.filter(is_active=True)
    ]


def other_rates() -> list[Priced]:
    """What else costs."""
    rows = [(rate.kind, rate.price, None, rate.effective_from) for rate in Rate.objects.order_by("-effective_from")]
    return [
        Priced(name=kind.value, about=str(kind.label), prices=_prices([row[1:] for row in rows if row[0] == kind]))
        for kind in RateKind
    ]
