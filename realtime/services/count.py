"""Counting what reservations have used and cost so far, for pages: the ledger counts for itself, by the same rule."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from jobs.models import Job
from jobs.services.dispatch import Group
from jobs.states import Status
from realtime.models import Reservation
from realtime.pricing import ReservedHour, Rule, reserved_hours
from realtime.selectors.usage import usage_since

# Where an account runs very much, counting takes long: it may take this share of the clock's time.
MOST_SHARE = 0.05
_rest_until: dict[Group, float] = {}


def count_usage(now: datetime | None = None) -> int:
    """Bring the figures of all reservations up to date to which something may be added; how many. For the clock."""
    moment = now or timezone.now()
    rows = Reservation.objects.filter(ready_at__isnull=False, is_counted=False)
    number = 0
    for group, own in groupby(rows.order_by("account", "core_type", "ready_at"), key=lambda row: row.group):
        begun = time.monotonic()
        if begun >= _rest_until.get(group, 0.0):
            number += _count_group(group, list(own), moment)
            _rest_until[group] = time.monotonic() + (time.monotonic() - begun) / MOST_SHARE
    return number


def _count_group(group: Group, uncounted: Sequence[Reservation], now: datetime) -> int:
    first = uncounted[0].ready_at
    assert first is not None
    # Hours of others that overlap take their part of the usage.
    beside = Reservation.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=first - timedelta(hours=1)),
        account_id=group.account_id, core_type_id=group.core_type, ready_at__isnull=False,
    )  # fmt: skip
    reserved = [row.reserved for row in beside]
    begins = min(one.start for one in reserved)
    usage = usage_since(group, begins, now=now)
    hours = reserved_hours(reserved, usage, rule=Rule(settings.REALTIME_RULE), until=now)
    for row in uncounted:
        own = [hour for hour in hours if hour.reservation_id == row.pk]
        _save(row, own, now)
    return len(uncounted)


def _save(row: Reservation, hours: Sequence[ReservedHour], now: datetime) -> None:
    sums: Counter[str] = Counter()
    for hour in hours:
        sums.update(used=hour.used, top_up=hour.top_up)
    Reservation.objects.filter(pk=row.pk).update(
        used_charge=sums["used"],
        top_up_charge=sums["top_up"],
        counted_at=now,
        is_counted=row.ended_at is not None and _is_final(row, hours, now),
    )


def _is_final(row: Reservation, hours: Sequence[ReservedHour], now: datetime) -> bool:
    """Whether its hours are over, and every run that falls into them."""
    last = max((hour.end for hour in hours), default=now)
    running = Job.objects.filter(
        account_id=row.account_id, core_type_id=row.core_type_id, status=Status.PROCESSING, started_at__lt=last
    )
    return last <= now and not running.exists()
