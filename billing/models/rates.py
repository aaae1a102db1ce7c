"""Prices of what is not a core; those are `jobs.CorePrice`."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone

from common.money import MICROS_PER_DOLLAR


class RateKind(models.TextChoices):
    STORAGE = "storage", "Files kept, per GB-month"
    TRANSFER_IN = "transfer_in", "Files sent here, per GB"
    TRANSFER_OUT = "transfer_out", "Files fetched, per GB"


class Rate(models.Model):
    """What a unit costs from a moment on, until the next row begins. Never edited: a new price is a new row."""

    kind = models.CharField(max_length=12, choices=RateKind.choices)
    micros = models.BigIntegerField("price", help_text="Millionths of a dollar for one unit.")
    effective_from = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["kind", "-effective_from"]
        constraints: ClassVar = [
            # Each ends where the next begins, so two overlap only where they begin together.
            models.UniqueConstraint(fields=["kind", "effective_from"], name="one_rate_at_a_time"),
            models.CheckConstraint(condition=models.Q(micros__gte=0), name="rate_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ${self.price.normalize():f} from {self.effective_from:%Y-%m-%d}"

    @property
    def price(self) -> Decimal:
        """Dollars."""
        return Decimal(self.micros) / MICROS_PER_DOLLAR
