"""People and the keys their machines use."""

import hashlib
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

NOTE_LENGTH = 200


def secret_hash(secret: str) -> str:
    """What is kept of a key's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class User(AbstractUser):
    """A person, who is also the account that owns jobs and files and is billed for them."""

    # Without an address: NULL, because of two empty texts one would not be unique.
    email = models.EmailField("e-mail address", unique=True, null=True, blank=True)  # type: ignore[assignment]
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Zone in which times are shown.")

    class Meta(AbstractUser.Meta):
        # Whoever reads a name or an address does not see its case.
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("username"),
                name="username_in_any_case",
                violation_error_message="There is already an account of that name.",
            ),
            models.UniqueConstraint(
                Lower("email"),
                name="email_in_any_case",
                violation_error_message="This e-mail address belongs to another account.",
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Django's managers and forms write "" for no address.
        self.email = self.email or None
        super().save(*args, **kwargs)


class ApiKey(models.Model):
    """A numbered key with a secret; one for each machine, so that one can be withdrawn alone.

    The secret has 256 random bits and is kept only as its SHA-256: guessing is hopeless without
    a slow hash, and a slow hash would cost 100 ms a request.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    secret_sha256 = models.CharField(max_length=64, editable=False)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"key {self.pk} of {self.user}"
