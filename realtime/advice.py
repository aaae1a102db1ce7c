"""What reserved cores would have cost over days that are known: exact arithmetic, as in `realtime.pricing`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median_low

from common.money import charge_of, dollars
from jobs.services.work import Price
from realtime.pricing import Rule, minimum_per_hour

DAYS = 30
HOURS = DAYS * 24


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Cores kept for some of the hours: what those hours cost with them, and what they cost without, in dollars."""

    hours: int
    with_them: Decimal
    without: Decimal

    @property
    def more(self) -> Decimal:
        return self.with_them - self.without


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What the use of the last days says about a number of cores.

    `free_always` cores would have cost nothing more in any hour, `free_mostly` nothing more in at least half of the
    hours with use: that is where reserving breaks even. Both are 0 by the rule of the fee.
    """

    cores: int
    always: Kept
    while_used: Kept
    free_always: int
    free_mostly: int


def advise(core_ms: Mapping[datetime, int], *, cores: int, price: Price, rule: Rule) -> Advice:
    """Advice from the core-milliseconds of each hour that had any, at the prices of today."""
    used = [charge_of(run_ms=ms, cores=1, price_micros=price.standard) for ms in core_ms.values()]
    one = minimum_per_hour(cores=1, price_micros=price.reserved)
    covered = [charge // one for charge in used] if one and rule is Rule.MINIMUM else []
    return Advice(
        cores=cores,
        always=_kept(used, HOURS, cores * one, rule),
        while_used=_kept(used, len(used), cores * one, rule),
        free_always=min(covered) if len(covered) >= HOURS else 0,
        free_mostly=median_low(covered) if covered else 0,
    )


def _kept(used: list[int], hours: int, minimum: int, rule: Rule) -> Kept:
    idle = max(0, hours - len(used)) * minimum
    added = len(used) * minimum if rule is Rule.FEE else sum(max(0, minimum - charge) for charge in used)
    return Kept(hours=hours, with_them=dollars(sum(used) + added + idle), without=dollars(sum(used)))
