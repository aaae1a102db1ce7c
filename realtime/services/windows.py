"""Windows: cores that are reserved in the same hours of every week."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Refused
from realtime.limits import Taken, check_limits, lock_requests
from realtime.models import Reservation, ReservationWindow
from realtime.selectors.reservations import window_for
from realtime.services.change import end
from realtime.services.events import record_event
from realtime.services.request import next_number, reserve
from realtime.states import EndReason, State
from realtime.terms import Terms, WindowTerms
from realtime.weekly import Stretch

logger = logging.getLogger(__name__)

MOST_WINDOWS = 50  # of one account


def add_window(*, account: User, terms: WindowTerms) -> ReservationWindow:
    """Reserve cores every week in these hours. Raises Refused when they are more than one can have."""
    weekly = terms.weekly
    with transaction.atomic():
        lock_requests()
        if ReservationWindow.objects.filter(account=account, removed_at=None).count() >= MOST_WINDOWS:
            raise Refused("too_many_windows", f"An account can have {MOST_WINDOWS} windows; remove one first.")
        first = weekly.after(timezone.now())
        check_limits(account_id=account.pk, core_type=terms.core_type, wanted=Taken(*first, terms.cores))
        return ReservationWindow.objects.create(
            account=account,
            number=next_number(ReservationWindow, account),
            core_type_id=terms.core_type,
            cores=terms.cores,
            weekdays=sorted(weekly.weekdays),
            begins=weekly.begins,
            ends=weekly.ends,
            timezone=weekly.timezone,
            next_at=first.start,
        )


def remove_window(*, account: User, number: int) -> ReservationWindow:
    """Reserve no more by this window. What it has reserved and is not ready is withdrawn; what is active goes on."""
    with transaction.atomic():
        window = window_for(account, number, locked=True)
        window.removed_at, window.next_at = timezone.now(), None
        window.save(update_fields=["removed_at", "next_at"])
        for row in Reservation.objects.select_for_update().filter(window=window, state=State.PENDING):
            end(row, EndReason.WITHDRAWN, by=account)
    return window


def open_windows(now: datetime | None = None) -> int:
    """Make the reservations of windows that begin soon; how many. For the clock."""
    moment = now or timezone.now()
    soon = moment + timedelta(seconds=settings.REALTIME_LEAD_SECONDS)
    due = ReservationWindow.objects.filter(next_at__lte=soon).order_by("next_at", "pk").values_list("pk", flat=True)
    return sum(_open(pk, moment) for pk in list(due))


def _open(pk: int, now: datetime) -> bool:
    """In a transaction of its own, so that one that fails holds up no other."""
    with transaction.atomic():
        lock_requests()
        window = ReservationWindow.objects.select_for_update().select_related("account").get(pk=pk)
        if window.next_at is None:
            return False
        # After a downtime it may be a later stretch that is due, or the rest of one.
        stretch = window.weekly.after(max(now, window.next_at))
        is_due = stretch.start <= now + timedelta(seconds=settings.REALTIME_LEAD_SECONDS)
        window.next_at = window.weekly.after(stretch.end).start if is_due else stretch.start
        window.save(update_fields=["next_at"])
        return is_due and _reserve(window, stretch)


def _reserve(window: ReservationWindow, stretch: Stretch) -> bool:
    terms = Terms(core_type=window.core_type_id, cores=window.cores)
    try:
        with transaction.atomic():
            row = reserve(account=window.account, terms=terms, start=stretch.start, until=stretch.end, window=window)
            record_event(row, "reservation.requested", detail=f"By window {window.number}.")
    except IntegrityError:
        return False  # another clock made it
    except Refused as refusal:
        _tell_refused(window, stretch, refusal)
        return False
    return True


def _tell_refused(window: ReservationWindow, stretch: Stretch, refusal: Refused) -> None:
    """Its owner finds it among the requests, and gets a mail."""
    logger.warning("%s makes no reservation: %s", window, refusal)
    row = Reservation.objects.create(
        account=window.account,
        number=next_number(Reservation, window.account),
        core_type_id=window.core_type_id,
        cores=window.cores,
        starts_at=stretch.start,
        until=stretch.end,
        window=window,
        price_micros=0,
        note=refusal.message[:300],
    )
    end(row, EndReason.DENIED, mail=True)
