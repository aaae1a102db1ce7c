"""Charging for reserved cores: what each of their hours adds to the usage that was charged anyway."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from billing.models import Kind, LedgerEntry, SettledReservation
from billing.services.books import append, hour_of, locked_books
from common.money import dollars, format_dollars
from jobs.models import Job
from jobs.services.dispatch import Group
from jobs.states import Status
from realtime.models import Reservation
from realtime.pricing import ReservedHour, Rule, reserved_hours, started_hours
from realtime.selectors.usage import usage_since

HOUR = timedelta(hours=1)


def post_reserved_hours() -> int:
    """Charge each reserved hour that is over, when the runs that fall into it are too; answers how many.

    Safe to repeat, and to run twice at once: an hour is charged under its name, which the ledger takes once.
    """
    now = timezone.now()
    unsettled = Reservation.objects.filter(ready_at__isnull=False).exclude(pk__in=SettledReservation.objects.all())
    rows = unsettled.order_by("account", "core_type", "ready_at")
    return sum(_post_group(group, list(own), now) for group, own in groupby(rows, key=lambda row: row.group))


def _post_group(group: Group, rows: Sequence[Reservation], now: datetime) -> int:
    """Those of one account and core type: runs are shared out among hours that overlap."""
    rule = Rule(settings.REALTIME_RULE)
    posted = {row.pk: _posted(row) for row in rows}
    # Asked before the usage is read: a run that ends in between is then in the usage.
    final = now if rule is Rule.FEE else _final_until(group, now)
    # While one run goes on past the end of an hour, nothing is computed that could not be charged.
    due = [row for row in rows if len(posted[row.pk]) < _hours_over(row, final)]
    entries = []
    if due:
        first = min(row.reserved.start + len(posted[row.pk]) * HOUR for row in due)
        hours = _hours_of(group, first, rule=rule, now=now)
        by_id = {row.pk: row for row in due}
        ready = [hour for hour in hours if hour.reservation_id in by_id and hour.end <= final]
        entries = [
            _entry(by_id[hour.reservation_id], hour)
            for hour in ready
            if _name(by_id[hour.reservation_id], hour.start) not in posted[hour.reservation_id]
        ]
    _write(entries)
    for row in rows:
        if row.ended_at is not None and len(_posted(row)) >= started_hours(start=row.reserved.start, end=row.ended_at):
            SettledReservation.objects.get_or_create(reservation=row)
    return len(entries)


def _posted(row: Reservation) -> set[str | None]:
    """Names of its hours that are in the ledger."""
    lines = LedgerEntry.objects.filter(account=row.account_id, kind=Kind.RESERVATION, reservation=row.number)
    return set(lines.values_list("once", flat=True))


def _hours_over(row: Reservation, moment: datetime) -> int:
    """How many of its hours end by then. The last one is whole, even when the cores were released before."""
    start = row.reserved.start
    over = max(0, (moment - start) // HOUR)
    return over if row.ended_at is None else min(over, started_hours(start=start, end=row.ended_at))


def _final_until(group: Group, now: datetime) -> datetime:
    """Until when it is known what ran: the start of the first run that has not ended."""
    running = Job.objects.filter(account_id=group.account_id, core_type_id=group.core_type, status=Status.PROCESSING)
    begun = running.filter(started_at__isnull=False).order_by("started_at").values_list("started_at", flat=True).first()
    return min(begun, now) if begun else now


def _hours_of(group: Group, first: datetime, *, rule: Rule, now: datetime) -> list[ReservedHour]:
    """The hours from a moment on, as they are charged; others come too, and may lack some of their usage."""
    reserved = [row.reserved for row in _overlapping(group, first)]
    hours = reserved_hours(reserved, [], rule=rule, until=now)
    if rule is Rule.FEE:
        return hours
    # Usage is shared out among hours that overlap, so it is read since the first of those.
    for hour in reversed(hours):
        if hour.start < first < hour.end:
            first = hour.start
    return reserved_hours(reserved, usage_since(group, first, now=now), rule=rule, until=now)


def _overlapping(group: Group, first: datetime) -> Iterator[Reservation]:
    """Those that were there at a moment or later, and those that were there beside the earliest of them, and so on."""
    ready = Reservation.objects.filter(
        account_id=group.account_id, core_type_id=group.core_type, ready_at__isnull=False
    )
    while True:
        # The last hour of one that was released lasts to its end.
        rows = list(ready.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=first - HOUR)))
        earliest = min(row.reserved.start for row in rows)
        if earliest >= first:
            yield from rows
            return
        first = earliest


def _entry(row: Reservation, hour: ReservedHour) -> LedgerEntry:
    used, minimum = (format_dollars(dollars(charge)) for charge in (hour.used, hour.minimum))
    return LedgerEntry(
        account_id=row.account_id,
        kind=Kind.RESERVATION,
        core_type=row.core_type_id,
        cores=row.cores,
        price_micros=row.price_micros,
        reservation=row.number,
        # As a run, in the hour in which it ended.
        at=hour_of(hour.end - timedelta(milliseconds=1)),
        charge=hour.top_up,
        once=_name(row, hour.start),
        note=f"Reserved from {hour.start:%H:%M}: {minimum} an hour, {used} used.",
    )


def _name(row: Reservation, start: datetime) -> str:
    return f"reserved {row.pk} {start:%Y-%m-%dT%H:%M:%S}"


def _write(entries: Sequence[LedgerEntry]) -> None:
    if not entries:
        return
    with locked_books() as books:
        names = [entry.once for entry in entries]
        # Another clock may have been faster.
        there = set(LedgerEntry.objects.filter(once__in=names).values_list("once", flat=True))
        append(books, [entry for entry in entries if entry.once not in there])
