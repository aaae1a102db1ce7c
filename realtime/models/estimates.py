"""What was learned of run times, and what was expected of a batch before it ran."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from jobs.models import Batch, CoreType
from realtime.capacity.estimate import Basis


class UsageCursor(models.Model):
    """How far a reader of usage has come."""

    name = models.CharField(max_length=32, primary_key=True)
    last_id = models.BigIntegerField(default=0, help_text="Of the last record of usage that was read.")

    def __str__(self) -> str:
        return f"{self.name} at {self.last_id}"


class RunTime(models.Model):
    """Count, mean and variance of the run times of jobs that are alike.

    Four rows know of each run: of this version of its function, of the function, of its account and of all; the coarser
    ones leave columns empty or zero.
    """

    basis = models.CharField(max_length=12, choices=[(basis.value, basis.value) for basis in Basis])
    account_id = models.BigIntegerField(default=0, help_text="0 for all.")
    function_id = models.BigIntegerField(default=0, help_text="0 for any.")
    version = models.CharField(max_length=64, blank=True, help_text="SHA-256 of code and options.")
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    cores = models.PositiveSmallIntegerField(default=0, help_text="0 for any number.")
    n = models.BigIntegerField(default=0)
    mean = models.FloatField(default=0.0, help_text="ms")
    m2 = models.FloatField(default=0.0, help_text="Sum of the squares of the distances from the mean, in ms².")
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "run time"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id", "function_id", "version", "core_type", "cores"], name="run_time_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mean:.0f} ms from {self.n} runs ({self.basis})"


class Quote(models.Model):
    """What was expected of a job of a batch before the first of them was learned from: told beside what it took."""

    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, primary_key=True, related_name="+")
    basis = models.CharField(max_length=12, blank=True)
    n = models.BigIntegerField(help_text="0 when nothing was known.")
    mean = models.FloatField(help_text="ms")
    m2 = models.FloatField()
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.mean:.0f} ms for batch {self.batch_id}"
