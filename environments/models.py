"""What a job runs in."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Environment(models.Model):
    """A built Linux file system, known by the digest of its image."""

    name = models.CharField(max_length=30, unique=True)
    image = models.CharField(max_length=200, help_text="Reference the container engine knows it by.")
    digest = models.CharField(max_length=80, help_text="Digest of the recipe or layer it was built from.")
    python = models.CharField(max_length=10, help_text="Minor version of its Python, such as 3.11.")
    platform = models.JSONField(default=dict, blank=True, help_text="System, machine and C library.")
    packages = models.JSONField(default=dict, blank=True, help_text="Version of each Python distribution in it.")
    size_bytes = models.BigIntegerField(default=0)
    built_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
