"""Count, mean and variance of run times, that can be put together without the run times themselves."""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Stats(NamedTuple):
    """Of `n` runs: their mean in ms, and the sum of the squares of their distances from it (`m2`, ms²)."""

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> "Stats":
        """By Welford's method, which loses no digits however far the values are from zero."""
        n, mean, m2 = 0, 0.0, 0.0
        for value in values:
            n += 1
            distance = value - mean
            mean += distance / n
            m2 += distance * (value - mean)
        return cls(n, mean, m2)

    def with_(self, other: "Stats") -> "Stats":
        """Both together, as if all runs had been counted at once (Chan, Golub and LeVeque, 1979)."""
        n = self.n + other.n
        if not n:
            return self
        distance = other.mean - self.mean
        return Stats(
            n, self.mean + distance * other.n / n, self.m2 + other.m2 + distance * distance * self.n * other.n / n
        )

    @property
    def deviation(self) -> float:
        """Standard deviation in ms. Of a single run nothing is known of it: as much as the run itself."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else self.mean
