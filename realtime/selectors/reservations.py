"""Every read of reservations. A stranger's is answered as if it did not exist."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from accounts.models import User
from common.exceptions import NotFound
from jobs.models import Dedication, Job
from jobs.states import Status
from realtime.models import Reservation, ReservationEvent, ReservationWindow
from realtime.states import OPEN

PAGE = 50
BIGGEST = 2**31 - 1  # of the numbers that the column holds
MOST_EVENTS = 50


@dataclass(frozen=True, kw_only=True)
class ReservationPage:
    """Reservations, newest first; `before` is the number to go on from, None at the end."""

    rows: list[Reservation]
    before: int | None


def reservations_of(
    account: User, *, before: int | None = None, limit: int = PAGE, open_only: bool = False
) -> ReservationPage:
    """A page of the account's reservations, newest first: the open ones, and those that have ended too."""
    rows = Reservation.objects.filter(account=account).select_related("window").order_by("-number")
    if open_only:
        rows = rows.filter(state__in=OPEN)
    if before is not None:
        rows = rows.filter(number__lt=min(before, BIGGEST))
    found = list(rows[: limit + 1])
    return ReservationPage(rows=found[:limit], before=found[limit - 1].number if len(found) > limit else None)


def reservation_for(account: User, number: int, *, locked: bool = False) -> Reservation:
    """The account's reservation of this number. Raises NotFound for anybody else's. `locked` is for changing it."""
    rows: QuerySet[Reservation] = Reservation.objects.select_related("window")
    if locked:
        rows = Reservation.objects.select_for_update()
    row = rows.filter(account=account, number=number).first() if 0 < number <= BIGGEST else None
    if row is None:
        raise NotFound("reservation_unknown", f"There is no request {number} for cores in this account.")
    return row


def events_of(reservation: Reservation) -> list[ReservationEvent]:
    """The last things that happened to a reservation, newest first."""
    events = ReservationEvent.objects.filter(reservation=reservation).select_related("by")
    return list(events.order_by("-id")[:MOST_EVENTS])


def windows_of(account: User) -> list[ReservationWindow]:
    """The account's windows that still make reservations, newest first."""
    return list(ReservationWindow.objects.filter(account=account, removed_at=None).order_by("-number"))


def window_for(account: User, number: int, *, locked: bool = False) -> ReservationWindow:
    """The account's window of this number, if it is not removed. Raises NotFound for anybody else's."""
    rows = ReservationWindow.objects.select_for_update() if locked else ReservationWindow.objects.all()
    found = rows.filter(account=account, number=number, removed_at=None)
    row = found.first() if 0 < number <= BIGGEST else None
    if row is None:
        raise NotFound("window_unknown", f"There is no window {number} in this account.")
    return row


def open_reservations() -> list[Reservation]:
    """Those of everybody that have not ended, those first that were asked for first."""
    return list(Reservation.objects.filter(state__in=OPEN).order_by("requested_at", "pk"))


def busy_cores(account: User) -> dict[str, int]:
    """How many of the account's reserved cores run something now, by core type."""
    workers = Dedication.objects.filter(account=account).values("worker")
    rows = Job.objects.filter(status=Status.PROCESSING, account=account, worker__in=workers)
    return {
        row["core_type_id"]: row["busy"]
        for row in rows.values("core_type_id").annotate(busy=Sum("cores")).order_by("core_type_id")
    }


def reserved_floor(now: datetime) -> dict[str, int]:
    """How many cores of each type have to stand ready now, for all accounts together."""
    rows = Reservation.objects.filter(state__in=OPEN, starts_at__lte=now)
    sums = rows.values("core_type_id").annotate(total=Sum("cores")).order_by("core_type_id")
    return {row["core_type_id"]: row["total"] for row in sums}
