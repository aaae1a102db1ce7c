"""Sets of whole numbers as inclusive ranges: how jids travel, whether there is one or ten thousand."""

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def ranges_of(numbers: Iterable[int]) -> list[Range]:
    """Sorted inclusive ranges that hold exactly these numbers."""
    ranges: list[Range] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def members(ranges: Iterable[Range]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def count(ranges: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def disjoint(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in sorted ranges, each number once."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
