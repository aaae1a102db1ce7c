"""Reservations written straight into the tables, for tests of what pages show of them."""

from datetime import time, timedelta
from typing import Any

from django.utils import timezone

from realtime.models import Reservation, ReservationEvent, ReservationWindow
from realtime.states import EndReason, State

CENT = 36_000_000_000  # charge


def make_reservation(account: Any, number: int, **fields: Any) -> Reservation:
    now = timezone.now()
    values = {"core_type_id": "c1", "cores": 2, "starts_at": now, "price_micros": 15_000}
    row = Reservation.objects.create(account=account, number=number, **(values | fields))
    ReservationEvent.objects.create(reservation=row, name="reservation.requested", by=account)
    return row


def make_window(account: Any, number: int = 1, **fields: Any) -> ReservationWindow:
    values = {
        "core_type_id": "c1", "cores": 2, "weekdays": [0, 1, 2, 3, 4], "begins": time(9), "ends": time(18),
        "timezone": "Europe/Berlin", "next_at": timezone.now() + timedelta(hours=20),
    }  # fmt: skip
    return ReservationWindow.objects.create(account=account, number=number, **(values | fields))


def make_one_of_each(account: Any) -> None:
    """One reservation of every state, newest last, and a window."""
    now = timezone.now()
    ready = now - timedelta(hours=5, minutes=12)
    window = make_window(account)
    ended = {"state": State.ENDED, "ended_at": now - timedelta(hours=1), "counted_at": now, "is_counted": True}
    make_reservation(account, 1, ready_at=ready, end_reason=EndReason.RELEASED, top_up_charge=12 * CENT, **ended)
    make_reservation(
        account, 2, end_reason=EndReason.DENIED, note="No cores for this today, because of the move.", **ended
    )
    make_reservation(
        account, 3, ready_at=ready, end_reason=EndReason.WINDOW_OVER, window=window, used_charge=95 * CENT, **ended
    )
    make_reservation(
        account, 4, state=State.ACTIVE, ready_at=ready, max_hours=8, cores=8, core_type_id="c2", counted_at=now,
        used_charge=31 * CENT, top_up_charge=47 * CENT,
    )  # fmt: skip
    make_reservation(
        account, 5, state=State.ACTIVE, ready_at=ready, note="1 of 2 cores stand ready. The others are being prepared."
    )
    make_reservation(account, 6, starts_at=now + timedelta(hours=3), max_hours=2)
    make_reservation(
        account,
        7,
        cores=160,
        core_type_id="c2",
        note="2 of 160 cores stand ready. 4 workers serve c2 here now: the rest comes when more are started.",
    )
