"""Writing the story of reservations, and telling whoever looks at them."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from jobs.services import bus
from realtime.models import Reservation, ReservationEvent


def record_event(
    reservation: Reservation,
    name: str,
    *,
    detail: str = "",
    by: User | None = None,
    mail: bool = False,
    at: datetime | None = None,
) -> None:
    """Add one event to the story of a reservation, and let the open pages of its account look again."""
    ReservationEvent.objects.create(
        reservation=reservation, name=name, detail=detail[:300], by=by, mail_due=mail, at=at or timezone.now()
    )
    transaction.on_commit(lambda: bus.publish_change(account_id=reservation.account_id, batch_ids=[]))
