"""Releasing reservations, changing how long they last, and what an operator may do to them.

What runs on released cores runs on; the worker serves everybody when it is done.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict, Refused
from common.times import format_duration
from realtime.limits import Taken, check_limits, last_moment, lock_requests
from realtime.models import Reservation
from realtime.selectors.reservations import reservation_for
from realtime.services.events import record_event
from realtime.states import EndReason, State
from realtime.terms import check_hours


def release(*, account: User, number: int) -> Reservation:
    """Give the cores back; a request that is not ready yet is withdrawn, and costs nothing.

    Raises NotFound for a request that the account does not have, Conflict for one that has ended.
    """
    with transaction.atomic():
        reservation = _open_one(account, number)
        ready = reservation.state == State.ACTIVE
        end(reservation, EndReason.RELEASED if ready else EndReason.WITHDRAWN, by=account)
    return reservation


def change_max_hours(*, account: User, number: int, max_hours: object) -> Reservation:
    """Let it end after other hours than it was asked for; None: when its owner releases it.

    Raises Refused when it has lasted longer already, or when others have reserved the cores for then.
    """
    hours = check_hours(max_hours)
    with transaction.atomic():
        lock_requests()
        reservation = _open_one(account, number)
        _check_not_past(reservation, hours)
        _check_free(reservation, hours)
        if hours != reservation.max_hours:
            detail = f"From {_hours(reservation.max_hours)} to {_hours(hours)}."
            reservation.max_hours = hours
            reservation.save(update_fields=["max_hours"])
            record_event(reservation, "reservation.changed", detail=detail, by=account)
    return reservation


def _check_not_past(reservation: Reservation, hours: int | None) -> None:
    if hours is None or reservation.ready_at is None:
        return
    lasted = timezone.now() - reservation.ready_at
    if lasted >= timedelta(hours=hours):
        raise Refused(
            "bad_hours",
            f"Request {reservation.number} has lasted {format_duration(lasted)} already: give more hours than that, or "
            "release it.",
        )


def _check_free(reservation: Reservation, hours: int | None) -> None:
    start = reservation.ready_at or max(reservation.starts_at, timezone.now())
    last = last_moment(start, max_hours=hours)
    wanted = Taken(start, min(last, reservation.until or last), reservation.cores)
    check_limits(
        account_id=reservation.account_id, core_type=reservation.core_type_id, wanted=wanted, beside=reservation
    )


def _hours(hours: int | None) -> str:
    return "no maximum" if hours is None else f"{hours:,} hour{'' if hours == 1 else 's'}"


def _open_one(account: User, number: int) -> Reservation:
    reservation = reservation_for(account, number, locked=True)
    if not reservation.is_open:
        assert reservation.ended_at is not None
        raise Conflict(
            "reservation_ended",
            f"Request {number} has ended at {reservation.ended_at:%Y-%m-%d %H:%M} UTC; nothing is left to change.",
        )
    return reservation


def stop(*, reservation: Reservation, by: User, note: str = "") -> bool:
    """Deny or end a reservation, as its operator may; whether it was open. Its owner gets a mail."""
    with transaction.atomic():
        found = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if not found.is_open:
            return False
        found.note = note[:300]
        end(found, EndReason.STOPPED if found.state == State.ACTIVE else EndReason.DENIED, by=by, mail=True)
    return True


def end(
    reservation: Reservation,
    reason: EndReason,
    *,
    by: User | None = None,
    at: datetime | None = None,
    mail: bool = False,
) -> None:
    """Move an open reservation to its end. Call it in the transaction that holds its row."""
    moment = at or timezone.now()
    if reservation.ready_at is not None:
        # Whatever the clock does, it does not end before it began.
        moment = max(moment, reservation.ready_at)
    reservation.state, reservation.end_reason, reservation.ended_at = State.ENDED, reason, moment
    if reason not in (EndReason.DENIED, EndReason.STOPPED):
        reservation.note = ""
    reservation.expected_at = None
    reservation.save(update_fields=["state", "end_reason", "ended_at", "note", "expected_at"])
    record_event(reservation, "reservation.ended", detail=reason.value, by=by, mail=mail, at=moment)
