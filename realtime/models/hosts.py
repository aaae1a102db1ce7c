"""Rows of the machines whose workers run jobs."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone

from common.money import MICROS_PER_DOLLAR
from realtime.host_states import HostState

MAX_NAME = 63


class Host(models.Model):
    """A machine with core slots, from the moment it was asked for or first reported, and kept after it is gone.

    A machine that comes back after it counted as gone gets a row of its own.
    """

    provider = models.CharField(max_length=100, help_text="Who starts and ends it: local is you, by hand.")
    reference = models.CharField(max_length=200, blank=True, help_text="How the provider names it.")
    name = models.CharField(max_length=MAX_NAME, help_text="How its workers name it.")
    core_types = models.CharField(max_length=200, help_text="Core types it serves, separated by commas.")
    slots = models.PositiveIntegerField(help_text="Jobs of one core that it runs at the same time.")
    state = models.CharField(max_length=8, choices=HostState.choices, default=HostState.BOOTING)
    launched_at = models.DateTimeField(default=timezone.now, help_text="When it began to be paid for.")
    joined_at = models.DateTimeField(null=True, blank=True, help_text="When its workers first reported.")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When one of its workers was last heard of.")
    drain_at = models.DateTimeField(null=True, blank=True, help_text="When it was told to take no more work.")
    gone_at = models.DateTimeField(null=True, blank=True)
    price_micros_per_hour = models.BigIntegerField(default=0, help_text="What the provider takes, in micro-dollars.")
    is_spot = models.BooleanField(default=False, help_text="Cheaper, and taken back by the provider at will.")
    problem = models.CharField(max_length=500, blank=True, help_text="What is wrong with it, in a sentence.")

    class Meta:
        ordering: ClassVar = ["-launched_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"], condition=~models.Q(state=HostState.GONE), name="host_name_once_alive"
            ),
            models.UniqueConstraint(
                fields=["provider", "reference"], condition=~models.Q(reference=""), name="host_reference_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state"], name="hosts_alive", condition=~models.Q(state=HostState.GONE)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def codes(self) -> list[str]:
        """The core types it serves."""
        return self.core_types.split(",")

    @property
    def price_per_hour(self) -> Decimal:
        """What the provider takes for it, in dollars."""
        return Decimal(self.price_micros_per_hour) / MICROS_PER_DOLLAR
