"""Asking for cores."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict
from jobs.models import CoreType
from jobs.services.work import prices_now
from realtime.limits import Taken, check_limits
from realtime.models import Reservation, ReservationWindow
from realtime.models.reservations import ReservedCores
from realtime.services.events import record_event
from realtime.terms import Terms


def request_cores(*, account: User, terms: Terms, request_key: str | None = None) -> tuple[Reservation, bool]:
    """Reserve cores; they are pending until they stand ready. Whether the request was new.

    A request of the same key is the same request, however often it comes. Raises Refused with the numbers when the
    cores are more than one can have.
    """
    with transaction.atomic():
        lock_requests()
        again = _requested(account, request_key)
        if again is not None:
            _check_same(again, terms)
            return again, False
        start = terms.starts_at or timezone.now()
        reservation = reserve(account=account, terms=terms, start=start, request_key=request_key)
        record_event(reservation, "reservation.requested", by=account)
    return reservation, True


def lock_requests() -> None:
    """Let one request at a time look at the limits and take a number. Jobs are not held up by it."""
    list(CoreType.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _requested(account: User, key: str | None) -> Reservation | None:
    return None if key is None else Reservation.objects.filter(account=account, request_key=key).first()


def _check_same(found: Reservation, terms: Terms) -> None:
    if (found.core_type_id, found.cores, found.max_hours) != (terms.core_type, terms.cores, terms.max_hours):
        raise Conflict(
            "request_differs",
            f"This request was sent before as request {found.number}, for other cores: use a new key.",
        )


def reserve(
    *,
    account: User,
    terms: Terms,
    start: datetime,
    until: datetime | None = None,
    request_key: str | None = None,
    window: ReservationWindow | None = None,
) -> Reservation:
    """Write a pending reservation, within the limits. Call it with requests locked."""
    longest = start + timedelta(hours=settings.REALTIME_MAX_HOURS)
    hours = settings.REALTIME_MAX_HOURS if terms.max_hours is None and until is None else terms.max_hours
    end = min(longest, until or longest, start + timedelta(hours=hours) if hours else longest)
    check_limits(account_id=account.pk, wanted=Taken(start, end, terms.cores))
    return Reservation.objects.create(
        account=account,
        number=next_number(Reservation, account),
        core_type_id=terms.core_type,
        cores=terms.cores,
        max_hours=terms.max_hours,
        starts_at=start,
        until=until,
        request_key=request_key,
        window=window,
        price_micros=prices_now(terms.core_type).reserved,
    )


def next_number(model: type[ReservedCores], account: User) -> int:
    """The next number of an account. Call it with requests locked."""
    rows: QuerySet[ReservedCores] = QuerySet(model)
    last = rows.filter(account=account).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
