"""Recorded submissions: the Standard Workload Format, and a CSV of invocations."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Fields of a line of the Standard Workload Format, counted from 0.
SUBMIT, RUN, PROCESSORS, USER, EXECUTABLE = 1, 3, 4, 11, 13
FIELDS = 18


class Submit(NamedTuple):
    """`count` jobs of one core that are submitted together and take as long as each other."""

    at: float  # seconds from the begin of the trace
    seconds: float
    count: int
    function: str
    account: str


class BadTrace(Exception):
    """A trace that cannot be read. The message says where and why."""


def read(path: Path) -> list[Submit]:
    """The submits of a trace, in the order of their time."""
    reader = _swf if path.suffix == ".swf" else _csv if path.suffix == ".csv" else None
    if reader is None:
        raise BadTrace(f"{path.name} is neither .swf nor .csv.")
    found = sorted(reader(path))
    if not found:
        raise BadTrace(f"{path.name} has no job that ran.")
    first = found[0].at
    return [submit._replace(at=submit.at - first) for submit in found]


def _swf(path: Path) -> Iterator[Submit]:
    """A parallel job is taken as a map of as many items as it has processors. Jobs that never ran are left out."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields = line.split(";")[0].split()
        if not fields:
            continue
        if len(fields) < FIELDS:
            raise BadTrace(f"{path.name}:{number} has {len(fields)} fields; the format has {FIELDS}.")
        try:
            at, seconds, count = float(fields[SUBMIT]), float(fields[RUN]), int(fields[PROCESSORS])
        except ValueError as error:
            raise BadTrace(f"{path.name}:{number}: {error}.") from None
        if seconds >= 0 and count > 0 and at >= 0:
            yield Submit(at, seconds, count, fields[EXECUTABLE], fields[USER])


def _csv(path: Path) -> Iterator[Submit]:
    """Lines of app, func, end_timestamp, duration, in seconds; an invocation began its duration before its end."""
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                seconds = float(row["duration"])
                yield Submit(float(row["end_timestamp"]) - seconds, seconds, 1, row["func"], row["app"])
            except (KeyError, TypeError, ValueError) as error:
                raise BadTrace(f"{path.name}:{number} is no app, func, end_timestamp, duration: {error!r}.") from None
