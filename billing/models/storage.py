"""What each account kept, day by day."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class StorageDay(models.Model):
    """The bytes of an account's files, as measured once on a day."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField(help_text="UTC.")
    bytes = models.BigIntegerField()
    measured_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="storage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.bytes} bytes of {self.account_id} on {self.day}"
