"""Bytes: the blobs that jobs are made of, and the files people keep."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Blob(models.Model):
    """Immutable bytes of one account, stored once: small ones in the row, large ones in the bucket.

    Nothing on the server ever looks inside.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes, in hexadecimal.")
    size = models.BigIntegerField()
    inline = models.BinaryField(null=True, editable=False)
    key = models.CharField(max_length=200, blank=True, help_text="Name in the bucket, when not inline.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "digest"], name="blob_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.size} bytes)"


class StoredFile(models.Model):
    """A file of `cloud.files`: a name in an account, and where its bytes lie."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32, blank=True)
    content_type = models.CharField(max_length=100, default="application/octet-stream")
    key = models.CharField(max_length=200, unique=True, help_text="Name in the bucket.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name"], name="file_name_once_per_account"),
        ]

    def __str__(self) -> str:
        return self.name


class TransferDay(models.Model):
    """Bytes of files that an account sent here and fetched on a day."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="UTC.")
    bytes_in = models.BigIntegerField(default=0)
    bytes_out = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="transfer_day_once")]
        indexes: ClassVar = [models.Index(fields=["day"], name="transfer_by_day")]

    def __str__(self) -> str:
        return f"{self.bytes_in} bytes in and {self.bytes_out} out on {self.day}"
