"""Job ids: the shapes in which callers give them, the ranges in which they travel."""

import operator
from collections.abc import Iterable, Sequence
from typing import SupportsIndex, TypeGuard

Jids = SupportsIndex | Iterable[SupportsIndex]
Ranges = list[list[int]]


def is_single(jids: Jids) -> TypeGuard[SupportsIndex]:
    """Whether one job is meant, rather than a collection of jobs (an array of NumPy is both an index and iterable)."""
    return isinstance(jids, SupportsIndex) and not isinstance(jids, Iterable)


def as_sequence(jids: Jids) -> Sequence[int]:
    """The job ids in the order given; TypeError or ValueError when something else is among them."""
    if isinstance(jids, range):
        found: Sequence[int] = jids
        smallest = min(jids[0], jids[-1]) if jids else 1
    else:
        found = [_as_jid(jids)] if is_single(jids) else [_as_jid(jid) for jid in _as_iterable(jids)]
        smallest = min(found, default=1)
    if smallest < 1:
        raise ValueError(f"{smallest} is not a job id: job ids count from 1.")
    return found


def to_ranges(jids: Iterable[int]) -> Ranges:
    """The ids as inclusive ranges, ascending, each id once."""
    if isinstance(jids, range) and jids.step == 1:
        return [[jids.start, jids.stop - 1]] if jids else []
    ranges: Ranges = []
    for jid in sorted(set(jids)):
        if ranges and jid == ranges[-1][1] + 1:
            ranges[-1][1] = jid
        else:
            ranges.append([jid, jid])
    return ranges


def from_ranges(ranges: Ranges) -> list[int]:
    """The ids in these inclusive ranges."""
    return [jid for first, last in ranges for jid in range(first, last + 1)]


def count(ranges: Ranges) -> int:
    """How many ids the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def first_of(ranges: Ranges, most: int) -> Ranges:
    """The ranges up to the id with which they hold `most`."""
    taken: Ranges = []
    for first, last in ranges:
        if most <= 0:
            break
        taken.append([first, min(last, first + most - 1)])
        most -= last - first + 1
    return taken


def without(ranges: Ranges, gone: Iterable[int]) -> Ranges:
    """The ranges without some of their ids."""
    left = set(gone)
    return to_ranges(jid for jid in from_ranges(ranges) if jid not in left) if left else ranges


def parse(text: str) -> list[int]:
    """The ids in a text such as `1,4,7-9`; ValueError says which part is wrong."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{part!r} is no job id: write ids as in 1,4,7-9")
        if dash and int(last) < int(first):
            raise ValueError(f"{part!r} runs backwards: write {last}-{first}")
        found += range(int(first), int(last or first) + 1)
    return found


def write(ranges: Ranges) -> str:
    """The text form of ranges, as in `1,4,7-9`."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _as_jid(jid: SupportsIndex) -> int:
    if isinstance(jid, bool) or not isinstance(jid, SupportsIndex):
        raise TypeError(f"{jid!r} is not a job id: give an integer, or an iterable of integers.")
    return operator.index(jid)


def _as_iterable(jids: Jids) -> Iterable[SupportsIndex]:
    if isinstance(jids, str | bytes) or not isinstance(jids, Iterable):
        raise TypeError(f"{jids!r} is not a job id: give an integer, or an iterable of integers.")
    return jids
