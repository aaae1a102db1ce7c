"""The state of the books as a whole."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone

from common.money import dollars


class Books(models.Model):
    """The one row that whoever writes to the ledger, or closes a month, locks first."""

    open_from = models.DateTimeField(
        null=True, blank=True, help_text="Beginning of the first month that is not closed; none while no month is."
    )

    class Meta:
        verbose_name_plural = "books"

    def __str__(self) -> str:
        return f"open from {self.open_from:%Y-%m}" if self.open_from else "nothing closed"


class Reconciliation(models.Model):
    """What a look through all usage and the whole ledger found.

    Sums are text, because those of an installation may be larger than a number of the database.
    """

    at = models.DateTimeField(default=timezone.now)
    last_usage_id = models.BigIntegerField(help_text="Usage up to here was compared.")
    usage_rows = models.BigIntegerField()
    usage_charge = models.CharField(max_length=40, help_text="Run time x cores x price of all usage.")
    ledger_charge = models.CharField(max_length=40, help_text="What the ledger says of the same.")
    findings = models.JSONField(default=list, help_text="Sentences; none when all is well.")

    class Meta:
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {'difference 0' if self.is_well else f'{len(self.findings)} findings'}"

    @property
    def is_well(self) -> bool:
        return not self.findings

    @property
    def usage_amount(self) -> Decimal:
        return dollars(int(self.usage_charge))

    @property
    def ledger_amount(self) -> Decimal:
        return dollars(int(self.ledger_charge))

    @property
    def difference(self) -> Decimal:
        """Dollars that the ledger has and usage does not explain, or that it lacks."""
        return self.ledger_amount - self.usage_amount
