"""Which workers are to be dedicated to whom: a pure function, so that it can be tried in every state.

Nothing that runs is ended. A worker that is busy is only marked, and follows when its job is over; so as many busy
ones are marked as there are, and when the first of them have followed, the others' marks are taken back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.selectors.workers import Worker
from jobs.services.dispatch import Group


@dataclass(frozen=True)
class Placement:
    """What is to change: whom to free, and whom to dedicate to which group."""

    free: frozenset[str] = frozenset()
    dedicate: Mapping[Group, Sequence[str]] = field(default_factory=dict)


def place(wanted: Mapping[Group, int], *, dedicated: Mapping[str, Group], workers: Sequence[Worker]) -> Placement:
    """The changes that bring each group its number of workers, those first that come first in `wanted`.

    A worker that is lost counts for nothing; its mark stays until another has taken its place.
    """
    live = {worker.name: worker for worker in workers if worker.is_able}
    spare = [worker for worker in live.values() if worker.name not in dedicated and worker.group is None]
    free = {name for name, group in dedicated.items() if group not in wanted}
    dedicate: dict[Group, list[str]] = {}
    for group, number in wanted.items():
        mine = [name for name, whose in dedicated.items() if whose == group]
        following = [live[name] for name in mine if name in live and live[name].group == group]
        marked = [name for name in mine if name not in live or live[name].group != group]
        missing = number - len(following)
        if missing <= 0:
            free |= {*marked, *_least_needed(following, -missing)}
            continue
        promised = sum(1 for name in marked if name in live and not live[name].is_busy)
        chosen = _choose(spare, group, number=missing - promised, near=following)
        if chosen:
            dedicate[group] = chosen
            spare = [worker for worker in spare if worker.name not in chosen]
    return Placement(frozenset(free), dedicate)


def _least_needed(following: Sequence[Worker], number: int) -> list[str]:
    """Idle ones first, and of those the last."""
    in_turn = sorted(following, key=lambda worker: (worker.is_busy, worker.name))
    idle = [worker.name for worker in in_turn if not worker.is_busy][::-1]
    busy = [worker.name for worker in in_turn if worker.is_busy]
    return [*idle, *busy][:number]


def _choose(spare: Sequence[Worker], group: Group, *, number: int, near: Sequence[Worker]) -> list[str]:
    """As many idle ones as are missing; when those do not suffice, all the busy ones too.

    Those on hosts that the group is on already come first, because a job of several cores needs them on one.
    """
    if number <= 0:
        return []
    able = [worker for worker in spare if group.core_type in worker.core_types]
    hosts = Counter(worker.host for worker in (near or able))
    in_turn = sorted(able, key=lambda worker: (-hosts[worker.host], worker.host, worker.slot))
    idle = [worker.name for worker in in_turn if not worker.is_busy][:number]
    return idle if len(idle) == number else [*idle, *(worker.name for worker in in_turn if worker.is_busy)]
