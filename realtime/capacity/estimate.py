"""What a number of runs will take, and between which bounds, from what runs like them took."""

import math
from dataclasses import dataclass
from enum import StrEnum

from realtime.capacity.stats import Stats

# Nine of ten times it is between the bounds; the standard normal distribution leaves 5 % beyond this on each side.
CONFIDENCE = 0.9
Z = 1.6449


class Basis(StrEnum):
    """What the runs that an estimate rests on have in common with those to come; the finest that is known counts."""

    CODE = "code"  # the same version of the function, with the same options
    FUNCTION = "function"  # the function in any version, on the same cores
    ACCOUNT = "account"  # anything of the account on the core type
    INSTALLATION = "installation"  # anything of anybody on the core type


# Runs of one function vary by themselves. How far a function is from all others is the same for all its runs.
OF_THE_FUNCTION = frozenset({Basis.CODE, Basis.FUNCTION})


@dataclass(frozen=True)
class Range:
    """An expected value, and the bounds between which it is nine times of ten."""

    expected: float
    low: float
    high: float

    def times(self, factor: float) -> "Range":
        return Range(self.expected * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Of `count` runs: seconds of one, seconds of all of them one after another, and what it rests on."""

    count: int
    runs: int
    basis: Basis
    each: Range
    total: Range


def estimate(stats: Stats, basis: Basis, *, count: int) -> Estimate:
    """What `count` runs take, from at least one run like them."""
    mean, deviation = stats.mean / 1000, stats.deviation / 1000
    own = basis in OF_THE_FUNCTION
    # The mean itself is known the better the more runs there were.
    about_mean = deviation / math.sqrt(stats.n)
    spread = math.hypot(deviation / math.sqrt(count), about_mean) if own else math.hypot(deviation, about_mean)
    return Estimate(
        count=count,
        runs=stats.n,
        basis=basis,
        each=_around(mean, math.hypot(deviation, about_mean)),
        total=_around(mean, spread).times(count),
    )


# What takes longer than all that is known is expected to take this share of its time again.
AGAIN = 0.1


def time_left(stats: Stats, *, elapsed: float) -> float:
    """Seconds that a run still takes which has taken `elapsed`, by runs like it.

    Where times differ much it is more the longer it has run: then it is one of the long ones.
    """
    mean, deviation = stats.mean / 1000, stats.deviation / 1000
    if elapsed <= 0:
        return mean
    least = max(mean - elapsed, AGAIN * elapsed)
    if mean <= 0 or deviation <= 0:
        return least
    variance = math.log1p((deviation / mean) ** 2)
    sigma, middle = math.sqrt(variance), math.log(mean) - variance / 2
    distance = (middle - math.log(elapsed)) / sigma
    # The share of runs that take longer than this, and the share of all run time that is theirs.
    longer, theirs = _normal(distance), _normal(distance + sigma)
    return max(mean * theirs / longer - elapsed, least) if longer > 1e-9 else least


def _normal(distance: float) -> float:
    """The standard normal distribution below a distance."""
    return math.erfc(-distance / math.sqrt(2)) / 2


def _around(mean: float, deviation: float) -> Range:
    """Bounds of a log-normal distribution: run times are never negative, and a few of them are long."""
    if mean <= 0:
        return Range(0.0, 0.0, 0.0)
    variance = math.log1p((deviation / mean) ** 2)
    middle, width = math.log(mean) - variance / 2, Z * math.sqrt(variance)
    # Of a very wide distribution the mean lies beyond nine tenths of it.
    return Range(mean, min(mean, math.exp(middle - width)), max(mean, math.exp(middle + width)))
