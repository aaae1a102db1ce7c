"""Calls and maps beside the rivals, in rounds in which each has its turn."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.harness import rivals
from benchmarks.harness.arena import Arena
from benchmarks.harness.contestants import Client, Contestant, started
from benchmarks.harness.figures import (
    Table,
    efficiency,
    for_many,
    median_of,
    megabytes_per_second,
    percentile,
    rate,
    spread,
)

WARM_UP = 20  # calls before the first that counts


def in_turns(clients: Sequence[Client], questions: dict[str, dict[str, Any]], *, rounds: int) -> dict[str, list[Any]]:
    """Each client's answers to its question, round by round, so that a slow moment of the machine falls on all."""
    answers: dict[str, list[Any]] = {client.name: [] for client in clients}
    for _ in range(rounds):
        for client in clients:
            answers[client.name].append(client.ask(**questions[client.name]))
    return answers


def round_trip(arena: Arena) -> Table:
    contestants = {
        rivals.ours(arena.account): 200,
        rivals.celery(arena.rivals_python, arena.redis_url): 200,
        rivals.rq(arena.rivals_python, arena.redis_url, forking=True): 60,
        rivals.rq(arena.rivals_python, arena.redis_url, forking=False): 100,
    }
    with started(list(contestants), arena.directory) as clients:
        questions: dict[str, dict[str, Any]] = {
            one.name: {"question": "round_trips", "number": arena.number(number)} for one, number in contestants.items()
        }
        for client in clients:
            client.ask("round_trips", number=WARM_UP)
        answers = in_turns(clients, questions, rounds=arena.rounds)
    times = {name: [answer["ms"] for answer in rounds] for name, rounds in answers.items()}
    reference = median_of(times["Celery prefork"], 0.5)
    rows = [
        [
            name,
            f"{median_of(rounds, 0.5):.2f}",
            f"{median_of(rounds, 0.95):.2f}",
            spread([percentile(one, 0.5) for one in rounds]),
            f"{median_of(rounds, 0.5) / reference:.2f}",
            f"{sum(map(len, rounds)):,}",
        ]
        for name, rounds in times.items()
    ]
    columns = ["one no-op and its result", "p50 ms", "p95 ms", "p50 of the rounds", "by Celery", "calls"]
    return Table(
        key="a",
        title="Round trip of a call",
        columns=columns,
        rows=rows,
        notes=["Medians over the rounds. Only PiCloud isolates jobs, keeps them in a database, and speaks HTTP."],
        data=times,
    )


def bulk(arena: Arena) -> Table:
    wanted = arena.number(10_000)
    few = arena.number(1_000)
    contestants = {
        rivals.ours(arena.account): wanted,
        rivals.celery(arena.rivals_python, arena.redis_url): few,
        rivals.dask(arena.rivals_python): wanted,
        rivals.rq(arena.rivals_python, arena.redis_url, forking=False): few,
        rivals.process_pool(): wanted,
    }
    seconds = _map_seconds(arena, contestants, question="bulk")
    rows = []
    for contestant, number in contestants.items():
        times = seconds[contestant.name]
        median = statistics.median(times)
        extrapolated = "" if number == wanted else f" (from {number:,})"
        whole = f"{for_many(median, done=number, wanted=wanted):.2f}{extrapolated}"
        rows.append([contestant.name, whole, f"{rate(number, median):,.0f}", spread(times)])
    columns = [f"{wanted:,} no-ops to all results", "seconds", "tasks/s", "seconds of the rounds"]
    return Table(key="b", title="A map of no-ops", columns=columns, rows=rows, data=seconds)


def echo(arena: Arena) -> Table:
    number, size = arena.number(1_000), 100_000
    contestants = dict.fromkeys(
        [
            rivals.ours(arena.account),
            rivals.celery(arena.rivals_python, arena.redis_url),
            rivals.dask(arena.rivals_python),
            rivals.process_pool(),
        ],
        number,
    )
    seconds = _map_seconds(arena, contestants, question="echo", size=size)
    rows = []
    for name, times in seconds.items():
        median = statistics.median(times)
        speed = megabytes_per_second(tasks=number, size=size, seconds=median)
        rows.append([name, f"{median:.2f}", f"{speed:.0f}", spread(times)])
    return Table(
        key="c",
        title="Payload",
        columns=[f"{number:,} tasks of 100 kB in and 100 kB out", "seconds", "MB/s both ways", "seconds of the rounds"],
        rows=rows,
        notes=["Random bytes. Celery's Redis lets subscribers fall behind without limit: by default it would hang."],
        data=seconds,
    )


def work(arena: Arena) -> Table:
    number, milliseconds = arena.number(200), 10
    contestants = dict.fromkeys(
        [rivals.ours(arena.account), rivals.celery(arena.rivals_python, arena.redis_url), rivals.process_pool()], number
    )
    seconds = _map_seconds(arena, contestants, question="work", milliseconds=milliseconds)
    rows = []
    for name, times in seconds.items():
        shares = [efficiency(tasks=number, milliseconds=milliseconds, workers=2, seconds=one) for one in times]
        rows.append([name, f"{statistics.median(shares):.2f}", f"{statistics.median(times):.2f}", spread(shares)])
    return Table(
        key="d",
        title="Efficiency",
        columns=[f"{number} tasks of {milliseconds} ms on 2 workers", "ideal / actual", "seconds", "of the rounds"],
        rows=rows,
        notes=["Warm: a few tasks went before. Each task uses so much processor time, not wall time."],
        data=seconds,
    )


def _map_seconds(
    arena: Arena, contestants: dict[Contestant, int], *, question: str, **arguments: Any
) -> dict[str, list[float]]:
    """Seconds of each contestant in each round."""
    with ExitStack() as stack:
        clients = stack.enter_context(started(list(contestants), arena.directory))
        questions = {
            one.name: {"question": question, "number": number, **arguments} for one, number in contestants.items()
        }
        for client in clients:
            client.ask(**questions[client.name] | {"number": 20})
        answers = in_turns(clients, questions, rounds=arena.rounds)
    return {name: [answer["seconds"] for answer in rounds] for name, rounds in answers.items()}
