"""Rows of reserved cores: requests, their story, and the windows that make requests every week."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from common.money import dollars
from jobs.models import CoreType
from jobs.services.dispatch import Group
from realtime.pricing import Reserved, minimum_per_hour
from realtime.states import OPEN, EndReason, State
from realtime.weekly import Weekly


class ReservedCores(models.Model):
    """Whose cores, of which type, and how many: the columns of a reservation and of a window that makes some."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts from 1 in each account.")
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    cores = models.PositiveIntegerField()

    class Meta:
        abstract = True

    @property
    def group(self) -> Group:
        return Group(self.account_id, self.core_type_id)


class ReservationWindow(ReservedCores):
    """Hours of every week in which cores are reserved. Each time makes a reservation, ahead of its start."""

    weekdays = models.JSONField(help_text="Numbers of the days on which it begins; Monday is 0.")
    begins = models.TimeField()
    ends = models.TimeField(help_text="On the next day when it is not after the beginning.")
    timezone = models.CharField(max_length=64, help_text="Zone whose wall clock is meant.")
    created_at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text="Start of the next one that is to be made.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "number"], name="window_number_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="window_due", condition=models.Q(next_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"window {self.number} of account {self.account_id}"

    @property
    def weekly(self) -> Weekly:
        return Weekly(weekdays=frozenset(self.weekdays), begins=self.begins, ends=self.ends, timezone=self.timezone)


class Reservation(ReservedCores):
    """A request for cores that stand ready for one account alone. `ready_at` is its start time."""

    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    max_hours = models.PositiveIntegerField(
        null=True, blank=True, help_text="Hours after readiness at which it ends by itself."
    )
    starts_at = models.DateTimeField(help_text="It is not ready before.")
    until = models.DateTimeField(null=True, blank=True, help_text="It ends by then, ready or not.")
    requested_at = models.DateTimeField(default=now)
    ready_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, choices=EndReason.choices, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="Why cores are missing, or why it was ended.")
    expected_at = models.DateTimeField(
        null=True, blank=True, help_text="When the missing cores are to be expected, as far as one can say."
    )
    price_micros = models.BigIntegerField(
        help_text="Price at its request: millionths of a dollar per reserved core-hour."
    )
    request_key = models.CharField(max_length=64, null=True, editable=False)
    window = models.ForeignKey(
        ReservationWindow, on_delete=models.PROTECT, null=True, blank=True, related_name="reservations", db_index=False
    )
    used_charge = models.BigIntegerField(default=0, help_text="Usage in its hours, as far as it was counted.")
    top_up_charge = models.BigIntegerField(default=0, help_text="What its hours add to that.")
    counted_at = models.DateTimeField(null=True, blank=True)
    is_counted = models.BooleanField(default=False, help_text="Nothing can be added to its hours any more.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "number"], name="reservation_number_once"),
            # The same form in two tabs, or a request that is sent again.
            models.UniqueConstraint(fields=["account", "request_key"], name="reservation_requested_once"),
            models.UniqueConstraint(fields=["window", "starts_at"], name="window_makes_each_once"),
            models.CheckConstraint(condition=models.Q(cores__gte=1), name="reservation_has_cores"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state"], name="reservation_open", condition=models.Q(state__in=sorted(OPEN))),
            models.Index(
                fields=["account", "core_type", "ready_at"],
                name="reservation_was_ready",
                condition=models.Q(ready_at__isnull=False),
            ),
            models.Index(
                fields=["account", "core_type"],
                name="reservation_to_count",
                condition=models.Q(ready_at__isnull=False, is_counted=False),
            ),
        ]

    def __str__(self) -> str:
        return f"reservation {self.number} of account {self.account_id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def ends_by(self) -> datetime | None:
        """When it ends by itself; None until its owner ends it. Of one that is not ready yet, at the earliest."""
        begins = self.ready_at or max(self.starts_at, now())
        by_hours = None if self.max_hours is None else begins + timedelta(hours=self.max_hours)
        return min(filter(None, (by_hours, self.until)), default=None)

    @property
    def minimum(self) -> Decimal:
        """Dollars of an hour of all its cores."""
        return dollars(minimum_per_hour(cores=self.cores, price_micros=self.price_micros))

    @property
    def used(self) -> Decimal:
        """Dollars of what ran in its hours; it is paid as all usage is."""
        return dollars(self.used_charge)

    @property
    def top_up(self) -> Decimal:
        """Dollars that its hours add to the usage."""
        return dollars(self.top_up_charge)

    @property
    def reserved(self) -> Reserved:
        """As prices are reckoned. Only of one that was ready."""
        assert self.ready_at is not None
        minimum = minimum_per_hour(cores=self.cores, price_micros=self.price_micros)
        return Reserved(id=self.pk, start=self.ready_at, end=self.ended_at, minimum_per_hour=minimum)


class ReservationEvent(models.Model):
    """Something that happened to a reservation. `mail_due` ones wait for the next round of mail."""

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=now)
    name = models.CharField(max_length=32, help_text="Dotted and in the past tense: reservation.ready.")
    detail = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    mail_due = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="reservation_event_to_mail", condition=models.Q(mail_due=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.reservation_id}"
