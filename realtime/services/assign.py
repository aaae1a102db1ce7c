"""What the clock does for reservations: it gives them workers, says when they are ready, and ends them in time.

Everything here begins from the rows and from what workers tell of themselves, so that it may be done at any time,
by two clocks at once, and after any outage.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.models import Dedication
from jobs.selectors.workers import Worker, live_workers
from jobs.services.dedication import dedicate, free
from jobs.services.dispatch import Group
from realtime.models import Reservation
from realtime.placement import place
from realtime.selectors.hosts import booting_for
from realtime.selectors.reservations import open_reservations
from realtime.selectors.shortfall import Shortfall, shortfall_of
from realtime.services.change import end
from realtime.services.events import record_event
from realtime.states import EndReason, State

CLOSE = timedelta(seconds=10)


def assign(now: datetime | None = None) -> int:
    """Bring every open reservation as far as it can be; how many became ready. For the clock."""
    moment = now or timezone.now()
    _end_due(moment)
    due = _due(moment)
    dedicated = {row.worker: Group(row.account_id, row.core_type_id) for row in Dedication.objects.all()}
    if not due and not dedicated:
        return 0
    workers = live_workers()
    most = {group: _most_cores(group.core_type, workers) for group in due}
    placement = place(_wanted(due, most), dedicated=dedicated, workers=workers)
    if placement.free:
        free(workers=placement.free)
    for group, names in placement.dedicate.items():
        dedicate(workers=names, group=group)
    return sum(_bring_forward(group, rows, workers, most=most[group], now=moment) for group, rows in due.items())


def _due(now: datetime) -> dict[Group, list[Reservation]]:
    """Those whose cores are to stand ready, or soon: by group, in the order in which they were asked for."""
    soon = now + timedelta(seconds=settings.REALTIME_LEAD_SECONDS)
    groups: dict[Group, list[Reservation]] = defaultdict(list)
    for row in open_reservations():
        if row.starts_at <= soon:
            groups[row.group].append(row)
    return groups


def _wanted(due: Mapping[Group, Sequence[Reservation]], most: Mapping[Group, int]) -> dict[Group, int]:
    """How many workers each group is to have: for a reservation that these can never fill, none stand idle."""
    wanted = {group: sum(row.cores for row in rows if _can_be(row, most[group])) for group, rows in due.items()}
    return {group: number for group, number in wanted.items() if number}


def _most_cores(core_type: str, workers: Sequence[Worker]) -> int:
    """Workers that can take jobs of a type, and those of machines that boot."""
    able = sum(worker.is_able and core_type in worker.core_types for worker in workers)
    return able + sum(host.slots for host in booting_for(core_type))


def _can_be(row: Reservation, most: int) -> bool:
    """Whether a reservation can have all its cores. One that is active keeps those that it has."""
    return row.state == State.ACTIVE or row.cores <= most


def _end_due(now: datetime) -> None:
    """End what has lasted as long as it was to. At that very moment, so that a late clock costs nobody an hour."""
    for row in open_reservations():
        if _end_of(row, now) is None:
            continue
        with transaction.atomic():
            found = Reservation.objects.select_for_update().get(pk=row.pk)
            ending = _end_of(found, now) if found.is_open else None
            if ending is not None:
                end(found, ending[1], at=ending[0], mail=True)


def _end_of(row: Reservation, now: datetime) -> tuple[datetime, EndReason] | None:
    """The moment at which it had to end, when that has passed."""
    ends: list[tuple[datetime, EndReason]] = []
    if row.until is not None:
        ends.append((row.until, EndReason.WINDOW_OVER))
    if row.ready_at is not None:
        hours = settings.REALTIME_MAX_HOURS if row.max_hours is None else row.max_hours
        ends.append((row.ready_at + timedelta(hours=hours), EndReason.MAX_DURATION))
    first = min(ends, default=None)
    return first if first is not None and first[0] <= now else None


def _bring_forward(
    group: Group, rows: Sequence[Reservation], workers: Sequence[Worker], *, most: int, now: datetime
) -> int:
    """Let those become active whose cores stand ready; to the others say what they wait for. How many became so."""
    ready = sum(1 for worker in workers if worker.warm == group and worker.is_able)
    became = 0
    # Those that are active keep their cores before others of the account get any; those that cannot be get none.
    for row in sorted(rows, key=lambda row: (not _can_be(row, most), row.state != State.ACTIVE)):
        have = min(ready, row.cores)
        ready -= have
        is_short = have < row.cores
        if row.state == State.PENDING and not is_short and row.starts_at <= now:
            became += _activate(row, now)
        else:
            _note(row, shortfall_of(row, have=have, workers=workers, now=now) if is_short else None)
    return became


def _activate(row: Reservation, now: datetime) -> bool:
    with transaction.atomic():
        changed = Reservation.objects.filter(pk=row.pk, state=State.PENDING).update(
            state=State.ACTIVE, ready_at=max(now, row.starts_at), note="", expected_at=None
        )
        if changed:
            record_event(row, "reservation.ready", mail=True, at=now)
    return bool(changed)


def _note(row: Reservation, shortfall: Shortfall | None) -> None:
    """Keep what a reservation waits for. A moment that is only a little other than before is not written again."""
    note, expected_at = (shortfall.sentence, shortfall.expected_at) if shortfall else ("", None)
    if row.note != note or _differ(row.expected_at, expected_at):
        Reservation.objects.filter(pk=row.pk, state=row.state).update(note=note[:300], expected_at=expected_at)


def _differ(one: datetime | None, other: datetime | None) -> bool:
    return abs(one - other) > CLOSE if one and other else one != other
