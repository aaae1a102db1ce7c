"""What the autoscaler decided and why, what load came in which hour, and what had been expected."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from jobs.models import CoreType


class Decision(models.Model):
    """What was decided for a core type at a moment. Numbers are cores unless said otherwise."""

    at = models.DateTimeField(default=timezone.now)
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    wanted = models.PositiveIntegerField()
    ready = models.PositiveIntegerField()
    booting = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    queued = models.PositiveIntegerField(default=0, help_text="Jobs.")
    work_s = models.FloatField(default=0.0, help_text="Core-seconds that jobs take, queued and running.")
    expected = models.FloatField(default=0.0, help_text="Cores that load to come needs on average.")
    launch = models.PositiveIntegerField(default=0, help_text="Machines that were asked for.")
    started = models.PositiveIntegerField(default=0, help_text="Machines that the provider gave.")
    drain = models.PositiveIntegerField(default=0, help_text="Machines that were given back.")
    reasons = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True, help_text="Why the provider gave fewer, in a sentence.")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["core_type", "-id"], name="decision_newest"),
            models.Index(fields=["at"], name="decision_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.wanted} cores of {self.core_type_id} at {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_act(self) -> bool:
        return bool(self.launch or self.drain)


class LoadHour(models.Model):
    """Runs that began in an hour, by account and core type; those of crons apart, because they are known anyway.

    Of each counts what it took within the hour: in the hours after it runs, and is seen.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField(help_text="Its begin, in UTC.")
    of_crons = models.BooleanField(default=False)
    runs = models.BigIntegerField(default=0)
    core_ms = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hour", "core_type", "account", "of_crons"], name="load_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.core_ms} ms from {self.hour:%Y-%m-%d %H:%M} on"


class ForecastHour(models.Model):
    """What an hour was expected to bring on a core type, written before it began."""

    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField(help_text="Its begin, in UTC.")
    cron_core_ms = models.BigIntegerField(default=0)
    habit_core_ms = models.BigIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["hour", "core_type"], name="forecast_hour_once")]

    def __str__(self) -> str:
        return f"{self.core_type_id} from {self.hour:%Y-%m-%d %H:%M} on"
