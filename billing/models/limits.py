"""Rows of limits: what may be spent in a month, and what came of it."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from common.money import dollars


class Scope(models.TextChoices):
    """What a budget counts."""

    ACCOUNT = "account", "The whole account"
    LABEL = "label", "Jobs of a label"
    CRON = "cron", "Runs of a cron"


class Action(models.TextChoices):
    """What happens when a budget is spent."""

    MAIL = "mail", "Mail only"
    HOLD = "hold", "Hold new jobs"
    KILL = "kill", "Hold new jobs and kill running ones"


class Budget(models.Model):
    """What an account, a label of it or a cron may cost in a month, and what happens on the way there."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="budgets", db_index=False
    )
    scope = models.CharField(max_length=8, choices=Scope.choices)
    name = models.CharField(max_length=200, blank=True, help_text="Label of the jobs or the cron; none for all.")
    limit = models.BigIntegerField(help_text="Of a month: ms x cores x micro-dollars per core-hour.")
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.HOLD)
    mails = models.BooleanField(default=True, help_text="Whether its owner is mailed on the way to it.")
    created_at = models.DateTimeField(default=timezone.now)
    # What was said already, so that each mail goes once in a month.
    said_month = models.DateField(null=True, blank=True, help_text="The month that the two below are about.")
    said_percent = models.PositiveSmallIntegerField(default=0, help_text="The highest share that was told.")
    said_forecast = models.BooleanField(default=False, help_text="Whether it was told that it will not last.")
    waived_month = models.DateField(null=True, blank=True, help_text="The month in which it holds nothing.")

    class Meta:
        ordering: ClassVar = ["scope", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "scope", "name"], name="budget_once"),
            models.CheckConstraint(condition=models.Q(limit__gt=0), name="budget_above_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}".strip()

    @property
    def amount(self) -> Decimal:
        """Dollars of a month."""
        return dollars(self.limit)

    @property
    def source(self) -> str:
        """What its hold is named by."""
        return f"budget-{self.pk}"


class Brake(models.Model):
    """An API key that spent many times what it usually does: its jobs are held until somebody looks."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="brakes")
    api_key = models.BigIntegerField(help_text="Number of the key.")
    put_at = models.DateTimeField(default=timezone.now)
    sentence = models.CharField(max_length=300)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering: ClassVar = ["-put_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key"], name="brake_once", condition=models.Q(lifted_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"brake on key {self.api_key}"

    @property
    def source(self) -> str:
        return f"brake-{self.pk}"


class KeyHour(models.Model):
    """What the runs that a key submitted came to in an hour. Each run counts with its last hour at most.

    `through` is the last ledger entry in it: the largest of all tells how far the ledger was read.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    api_key = models.BigIntegerField(help_text="Number of the key; 0 for what no key submitted.")
    hour = models.DateTimeField(help_text="UTC.")
    charge = models.BigIntegerField(default=0)
    through = models.BigIntegerField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-hour"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "api_key", "hour"], name="key_hour_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["hour"], name="key_hour_newest")]

    def __str__(self) -> str:
        return f"key {self.api_key} at {self.hour:%Y-%m-%d %H:00}"


class LimitEvent(models.Model):
    """Append-only: what happened to the limits of an account. Those with `mail_due` wait for the next mail."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limit_events")
    at = models.DateTimeField(default=timezone.now)
    name = models.CharField(max_length=32, help_text="Dotted and in the past tense: budget.reached.")
    about = models.CharField(max_length=250, help_text="Which limit, in words.")
    sentence = models.CharField(max_length=400)
    mail_due = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="limit_event_to_mail", condition=models.Q(mail_due=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.about}"
