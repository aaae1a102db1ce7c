"""Lines of the list of reservations, and their states in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jobs.display.looks import Look
from realtime.models import Reservation
from realtime.states import EndReason, State

PENDING = Look("queued", "Pending")
PLANNED = Look("waiting", "Pending", "starts later")
ACTIVE = Look("done", "Active")
SHORT = Look("late", "Active", "cores missing")
BECAUSE: dict[EndReason, str] = {
    EndReason.NONE: "",
    EndReason.RELEASED: "released",
    EndReason.WITHDRAWN: "withdrawn",
    EndReason.MAX_DURATION: "max duration",
    EndReason.WINDOW_OVER: "window over",
    EndReason.DENIED: "denied",
    EndReason.STOPPED: "by the operator",
}


def look_of(row: Reservation, *, now: datetime) -> Look:
    """The state, and the reason where one says more."""
    match row.state:
        case State.PENDING:
            return PLANNED if row.starts_at > now else PENDING
        case State.ACTIVE:
            return SHORT if row.note else ACTIVE
    return Look("killed", "Ended", BECAUSE[EndReason(row.end_reason)])


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a line shows of one reservation. `busy` of its cores run something now."""

    row: Reservation
    look: Look
    busy: int

    @property
    def paid(self) -> Decimal:
        """For its hours: what ran in them, and what they add to it."""
        return self.row.used + self.row.top_up


def rows_of(reservations: Iterable[Reservation], busy: Mapping[str, int], *, now: datetime) -> list[Row]:
    """Lines in the same order. Cores of one type that are busy are those of the first reservations."""
    left = dict(busy)
    shares: dict[int, int] = {}
    reservations = list(reservations)
    for row in sorted(reservations, key=lambda row: row.pk):
        taken = min(row.cores, left.get(row.core_type_id, 0)) if row.state == State.ACTIVE else 0
        shares[row.pk] = taken
        left[row.core_type_id] = left.get(row.core_type_id, 0) - taken
    return [Row(row=row, look=look_of(row, now=now), busy=shares[row.pk]) for row in reservations]
