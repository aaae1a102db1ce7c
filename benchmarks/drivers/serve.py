"""The client side of a contestant, in a process of its own: one question a line in, one answer a line out.

Each contestant says how it calls one task and maps one over many items; the clock is the same for all.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Contestant(Protocol):
    def call(self, task: str, item: Any, /) -> Any:
        """Run one task elsewhere and return its result."""

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        """Run a task over all items elsewhere and return all results in order."""


class WrongResult(Exception):
    """A contestant did not do the work."""


def round_trips(one: Contestant, *, number: int) -> dict[str, Any]:
    """Milliseconds of each of `number` calls, one after another."""
    times = []
    for item in range(number):
        began = time.perf_counter()
        answer = one.call("same", item)
        times.append((time.perf_counter() - began) * 1000)
        if answer != item:
            raise WrongResult(f"{answer!r} instead of {item!r}")
    return {"ms": times}


def _timed_map(one: Contestant, task: str, items: Sequence[Any]) -> dict[str, Any]:
    began = time.perf_counter()
    answers = one.map(task, items)
    seconds = time.perf_counter() - began
    if answers != list(items):
        raise WrongResult(f"{len(answers)} wrong results of {len(items)} tasks")
    return {"seconds": seconds}


def bulk(one: Contestant, *, number: int) -> dict[str, Any]:
    """Seconds from the first submit of `number` no-ops until all results are here."""
    return _timed_map(one, "same", range(number))


def echo(one: Contestant, *, number: int, size: int) -> dict[str, Any]:
    """Seconds for `number` tasks that take and return `size` random bytes each."""
    return _timed_map(one, "same", [os.urandom(size) for _ in range(number)])


def work(one: Contestant, *, number: int, milliseconds: int) -> dict[str, Any]:
    """Seconds for `number` tasks that each use a core for so long."""
    return _timed_map(one, "spin", [milliseconds] * number)


QUESTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "round_trips": round_trips,
    "bulk": bulk,
    "echo": echo,
    "work": work,
}


def serve(one: Contestant) -> None:
    """Answer questions from standard input until it ends. What libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        one.call("same", 0)  # the first call shows that all of it is there
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            question = json.loads(line)
            answer = QUESTIONS[question.pop("ask")](one, **question)
            print(json.dumps(answer), file=answers, flush=True)
