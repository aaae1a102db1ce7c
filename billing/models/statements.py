"""What an account was charged in a month, as it was when the month was closed."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.models.frozen import FrozenModel
from billing.months import Month
from common.money import dollars


class Statement(FrozenModel):
    """A closed month of an account. Its ledger takes no more entries, and this row is never changed."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.DateField(help_text="Its first day.")
    closed_at = models.DateTimeField(default=timezone.now)
    charge = models.BigIntegerField(help_text="Sum of its entries: ms x cores x micro-dollars per core-hour.")
    entries = models.BigIntegerField(help_text="How many there are.")
    last_entry_id = models.BigIntegerField(help_text="The newest of them.")
    content = models.JSONField(help_text="The tables of the statement, charges as whole numbers.")

    class Meta:
        ordering: ClassVar = ["-month"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "month"], name="statement_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} of {self.account_id}"

    @property
    def period(self) -> Month:
        return Month(self.month)

    @property
    def amount(self) -> Decimal:
        """Dollars, exact."""
        return dollars(self.charge)
