"""How far reservations are in the ledger."""

from django.db import models

from realtime.models import Reservation


class SettledReservation(models.Model):
    """A reservation whose hours are all in the ledger: it is looked at no more."""

    reservation = models.OneToOneField(Reservation, on_delete=models.PROTECT, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"all hours of {self.reservation_id}"
