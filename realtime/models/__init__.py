"""Rows of reserved cores, and of the capacity behind all cores."""

from realtime.models.decisions import Decision, ForecastHour, LoadHour
from realtime.models.estimates import Quote, RunTime, UsageCursor
from realtime.models.hosts import Host
from realtime.models.reservations import Reservation, ReservationEvent, ReservationWindow

__all__ = [
    "Decision",
    "ForecastHour",
    "Host",
    "LoadHour",
    "Quote",
    "Reservation",
    "ReservationEvent",
    "ReservationWindow",
    "RunTime",
    "UsageCursor",
]
