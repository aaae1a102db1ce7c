"""What cores would cost, and what the account's own use of the last days says about that."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from common.money import MICROS_PER_DOLLAR
from jobs.models import CoreType
from jobs.services.dispatch import Group
from jobs.services.work import prices_now
from realtime.advice import DAYS, Advice, advise
from realtime.pricing import Rule
from realtime.selectors.usage import hourly_core_ms


@dataclass(frozen=True, kw_only=True)
class CoresQuote:
    """Dollars for so many cores of a type, now."""

    core_type: str
    cores: int
    per_core_hour: Decimal  # kept ready
    standard_price: Decimal  # running
    hours: int | None
    rule: Rule
    advice: Advice

    @property
    def per_hour(self) -> Decimal:
        return self.per_core_hour * self.cores

    @property
    def in_all(self) -> Decimal | None:
        return None if self.hours is None else self.per_hour * self.hours


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A core type that can be reserved, with its prices in dollars."""

    core_type: CoreType
    per_core_hour: Decimal
    reserved: Decimal


def quote(account: User, *, core_type: str, cores: int, hours: int | None = None) -> CoresQuote:
    """What the cores cost by the prices of this moment."""
    price, rule = prices_now(core_type), Rule(settings.REALTIME_RULE)
    since = timezone.now() - timedelta(days=DAYS)
    used = hourly_core_ms(Group(account.pk, core_type), since=since)
    return CoresQuote(
        core_type=core_type,
        cores=cores,
        per_core_hour=Decimal(price.reserved) / MICROS_PER_DOLLAR,
        standard_price=Decimal(price.standard) / MICROS_PER_DOLLAR,
        hours=hours,
        rule=rule,
        advice=advise(used, cores=cores, price=price, rule=rule),
    )


def offers() -> list[Offer]:
    """The core types that can be reserved."""
    found = []
    for core_type in CoreType.objects.filter(is_active=True):
        price = prices_now(core_type.code)
        found.append(
            Offer(
                core_type=core_type,
                per_core_hour=Decimal(price.standard) / MICROS_PER_DOLLAR,
                reserved=Decimal(price.reserved) / MICROS_PER_DOLLAR,
            )
        )
    return found
