"""The ledger: what each account was charged, and its sums by day, which pages and budgets read."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.models.frozen import FrozenModel
from common.money import MICROS_PER_DOLLAR, MS_PER_HOUR, dollars


class Kind(models.TextChoices):
    """What a line of the ledger is for."""

    COMPUTE = "compute", "Compute"
    RESERVATION = "reservation", "Reserved cores"
    STORAGE = "storage", "Storage"
    TRANSFER_IN = "transfer_in", "Transfer in"
    TRANSFER_OUT = "transfer_out", "Transfer out"
    CREDIT = "credit", "Credit"
    CORRECTION = "correction", "Correction"


class Charged(models.Model):
    """What both an entry and the sums of a day say: who is charged for what, and how much.

    Names are written out here, because a bill still reads the same when jobs, crons and keys are gone.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    core_type = models.CharField(max_length=8, blank=True)
    label = models.CharField(max_length=200, blank=True)
    function = models.CharField(max_length=401, blank=True, help_text="With its module.")
    cron = models.CharField(max_length=200, blank=True, help_text="Label of the cron whose jobs these were.")
    api_key = models.BigIntegerField(null=True, blank=True, help_text="Number of the key that submitted them.")
    reservation = models.BigIntegerField(null=True, blank=True, help_text="Number of the reservation.")
    charge = models.BigIntegerField(help_text="ms x cores x micro-dollars per core-hour; 3.6e12 are a dollar.")
    core_ms = models.BigIntegerField(default=0)
    runs = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def amount(self) -> Decimal:
        """Dollars, exact."""
        return dollars(self.charge)

    @property
    def core_hours(self) -> Decimal:
        return Decimal(self.core_ms) / MS_PER_HOUR


class LedgerEntry(Charged, FrozenModel):
    """One line: what the runs of a batch that ended in one hour, at one price, cost; or something else that costs.

    The ledger is its own cursor: usage was read up to the largest `last_usage_id`.
    """

    at = models.DateTimeField(help_text="The hour it is charged in, UTC.")
    posted_at = models.DateTimeField(default=timezone.now)
    cores = models.PositiveSmallIntegerField(default=0)
    price_micros = models.BigIntegerField(default=0, help_text="Millionths of a dollar, of the unit of its kind.")
    batch_id = models.BigIntegerField(null=True, blank=True)
    first_jid = models.BigIntegerField(null=True, blank=True)
    last_jid = models.BigIntegerField(null=True, blank=True)
    first_usage_id = models.BigIntegerField(null=True, blank=True)
    last_usage_id = models.BigIntegerField(null=True, blank=True, unique=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    once = models.CharField(
        max_length=80, null=True, blank=True, unique=True, help_text="Names what it is for: nothing is charged twice."
    )
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["account", "-at", "-id"], name="ledger_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(charge__gte=0) | models.Q(kind__in=["credit", "correction"]),
                name="only_corrections_give_back",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id} at {self.at:%Y-%m-%d %H:00}"

    @property
    def price(self) -> Decimal:
        """Dollars, of the unit of its kind."""
        return Decimal(self.price_micros) / MICROS_PER_DOLLAR

    @property
    def jids(self) -> str:
        if self.first_jid is None:
            return ""
        return str(self.first_jid) if self.first_jid == self.last_jid else f"{self.first_jid}–{self.last_jid}"


class LedgerDay(Charged):
    """The sum of the entries of a day that have all names alike. Written with them, in the same transaction."""

    day = models.DateField(help_text="UTC.")
    names = models.CharField(max_length=64, help_text="SHA-256 of its names, by which its row is found.")

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "day", "names"], name="ledger_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id} on {self.day}"


NAMES = ("kind", "core_type", "label", "function", "cron", "api_key", "reservation")
SUMS = ("charge", "core_ms", "runs")
