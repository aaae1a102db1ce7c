"""Rows of reserved cores, and of the capacity behind all cores."""

from realtime.models.reservations import Reservation, ReservationEvent, ReservationWindow

__all__ = ["Reservation", "ReservationEvent", "ReservationWindow"]
