"""Rows of crons: what runs when, each scheduled instant that came, what each day came to, and the story."""

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from common.money import dollars
from crons.schedule import Schedule, known_schedule
from crons.states import CatchUp, Mark, Outcome, Overlap, State, Trigger, Verdict
from jobs.models import Job, Runnable
from jobs.services.submission import MAX_LABEL as MAX_JOB_LABEL
from storage.models import Blob

JOB_LABEL = "cron_{}"
MAX_LABEL = MAX_JOB_LABEL - len(JOB_LABEL.format(""))
DEFAULT_GRACE_S = 300


class Cron(Runnable):
    """A function that runs by a schedule. `next_at` is null while it is paused."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="crons", db_index=False
    )
    label = models.CharField(max_length=MAX_LABEL)
    arguments = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", help_text="A pack of one item.")
    schedule = models.CharField(max_length=200, help_text="Five fields, or a name such as @daily.")
    timezone = models.CharField(max_length=64, default="UTC", help_text="Zone in which the schedule is read.")
    overlap = models.CharField(max_length=8, choices=Overlap.choices, default=Overlap.ALLOW)
    catch_up = models.CharField(max_length=8, choices=CatchUp.choices, default=CatchUp.LAST)
    start_grace_s = models.PositiveIntegerField(
        default=DEFAULT_GRACE_S, help_text="Seconds after which a run that has not started is late."
    )
    alerts = models.BooleanField(default=True, help_text="Whether changes of its state are mailed.")
    paused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    registered_at = models.DateTimeField(default=now)
    registration = models.PositiveIntegerField(default=1, help_text="How often it was registered: the code's version.")
    registration_key = models.CharField(max_length=64, blank=True, help_text="Key of the request that registered it.")
    next_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    state_since = models.DateTimeField(default=now)
    down_since = models.DateTimeField(null=True, blank=True, help_text="When it went from well to bad.")

    class Meta:
        ordering: ClassVar = ["label"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "label"], name="cron_label_once_per_account"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="cron_due", condition=models.Q(next_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def job_label(self) -> str:
        return JOB_LABEL.format(self.label)

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def parsed(self) -> Schedule:
        return known_schedule(self.schedule, self.timezone)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.start_grace_s)


class CronRun(models.Model):
    """A scheduled instant of a cron, or a run by hand. What its job came to is copied, because jobs can be deleted.

    A row that says "missed" may stand for `instants` instants in a row, of which `scheduled_at` is the first.
    """

    cron = models.ForeignKey(Cron, on_delete=models.CASCADE, related_name="runs", db_index=False)
    scheduled_at = models.DateTimeField()
    trigger = models.CharField(max_length=8, choices=Trigger.choices, default=Trigger.SCHEDULE)
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    instants = models.PositiveIntegerField(default=1)
    registration = models.PositiveIntegerField(default=1, help_text="Which registration of the cron ran.")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    jid = models.BigIntegerField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    late_at = models.DateTimeField(null=True, blank=True, help_text="When it is late if it has not started.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    is_late = models.BooleanField(default=False, help_text="It did not start within the grace.")
    verdict = models.CharField(max_length=8, choices=Verdict.choices, default=Verdict.PENDING, blank=True)
    run_ms = models.BigIntegerField(null=True, blank=True)
    charge = models.BigIntegerField(default=0, help_text="ms x cores x micro-dollars per core-hour.")

    class Meta:
        ordering: ClassVar = ["-scheduled_at", "-id"]
        constraints: ClassVar = [
            # A double start is impossible, whoever tries it.
            models.UniqueConstraint(
                fields=["cron", "scheduled_at"], name="cron_instant_once", condition=~models.Q(trigger="manual")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["cron", "-scheduled_at", "-id"], name="cron_run_newest"),
            models.Index(fields=["cron"], name="cron_run_pending", condition=models.Q(outcome="submitted", verdict="")),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} at {self.scheduled_at:%Y-%m-%d %H:%M}"

    @property
    def mark(self) -> Mark:
        """The run in one word."""
        if self.outcome != Outcome.SUBMITTED:
            return Mark(self.outcome)
        match self.verdict:
            case Verdict.FAILED | Verdict.TOO_LONG:
                return Mark.FAILED
            case Verdict.KILLED:
                return Mark.KILLED
        if self.is_late:
            return Mark.LATE
        return Mark.RUNNING if self.verdict == Verdict.PENDING else Mark.OK

    @property
    def duration(self) -> timedelta | None:
        return None if self.run_ms is None else timedelta(milliseconds=self.run_ms)

    @property
    def start_delay(self) -> timedelta | None:
        """From the scheduled instant to the start of the function."""
        return None if self.started_at is None else self.started_at - self.scheduled_at

    @property
    def cost(self) -> Decimal:
        return dollars(self.charge)


class CronDay(models.Model):
    """What the runs of a cron on one day of its zone came to; kept as they come, so that pages add up little."""

    cron = models.ForeignKey(Cron, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    n_ok = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_killed = models.PositiveIntegerField(default=0)
    n_late = models.PositiveIntegerField(default=0, help_text="Of all of them, those that started late.")
    n_missed = models.PositiveIntegerField(default=0)
    n_skipped = models.PositiveIntegerField(default=0)
    run_ms = models.BigIntegerField(default=0)
    charge = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cron", "day"], name="cron_day_once")]

    def __str__(self) -> str:
        return f"{self.day} of {self.cron_id}"


class CronEvent(models.Model):
    """Something that happened to a cron besides its runs. `mail_due` ones wait for the next alert mail."""

    cron = models.ForeignKey(Cron, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=now)
    name = models.CharField(max_length=32, help_text="Dotted and in the past tense: cron.paused.")
    before = models.CharField(max_length=200, blank=True)
    after = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    mail_due = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="cron_event_to_mail", condition=models.Q(mail_due=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.cron_id}"


class Digest(models.Model):
    """When an account gets its next weekly digest."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    next_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"digest of {self.account_id} at {self.next_at:%Y-%m-%d %H:%M}"
