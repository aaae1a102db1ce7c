"""A price tag: what runs cost by their estimate, and when they could be over."""

from dataclasses import dataclass
from decimal import Decimal

from common.money import charge_of, dollars
from realtime.capacity.estimate import Basis, Estimate, Range


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Expected dollars, and the bounds between which they are nine times of ten."""

    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, kw_only=True)
class Tag:
    """What `count` runs on so many cores of a type are expected to take and to cost."""

    estimate: Estimate
    core_type: str
    cores: int
    price_micros: int  # per core-hour
    slots: int  # cores that there are for it now

    @property
    def core_hours(self) -> Range:
        return self.estimate.total.times(self.cores / 3600)

    @property
    def price(self) -> Amount:
        total = self.estimate.total
        return Amount(expected=self._cost(total.expected), low=self._cost(total.low), high=self._cost(total.high))

    @property
    def elapsed(self) -> float | None:
        """Seconds until all of them are over if nothing else runs; None when no core could take one."""
        at_once = self.slots // self.cores
        if not at_once:
            return None
        return max(self.estimate.each.expected, self.estimate.total.expected / at_once)

    def _cost(self, seconds: float) -> Decimal:
        return dollars(charge_of(run_ms=round(seconds * 1000), cores=self.cores, price_micros=self.price_micros))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What had been expected beside what came, both in seconds of run time and, of a map, for all its jobs together."""

    expected: Range
    took: float
    runs: int
    basis: Basis

    @property
    def held(self) -> bool:
        """Whether it came out between the bounds."""
        return self.expected.low <= self.took <= self.expected.high

    @property
    def percent(self) -> int:
        """How much more it took than expected; negative when less."""
        return round((self.took / self.expected.expected - 1) * 100) if self.expected.expected else 0
