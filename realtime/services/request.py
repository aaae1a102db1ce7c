"""Asking for cores."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict
from jobs.services.work import prices_now
from realtime.limits import Taken, check_limits, last_moment, lock_requests
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
    last = last_moment(start, max_hours=terms.max_hours)
    wanted = Taken(start, min(last, until or last), terms.cores)
    check_limits(account_id=account.pk, core_type=terms.core_type, wanted=wanted)
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
