"""Rows of a job's life. A `Batch` is what one submit brought; a `Job` is one item of it.

Rows that exist ten thousand times a map (`Job`, `JobResult`, `UsageRecord`) are narrow, and what
they share stands once in their batch. Events cover ranges of jids for the same reason.
"""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from common.money import compute_hours, dollars
from environments.models import Environment
from jobs.states import FINISHED, HOLDING, Reason, Status
from storage.models import Blob

RESERVED_SHARE = Decimal("0.3")  # of the price of a core-hour, where an operator says nothing else


class CoreType(models.Model):
    """A named size of a core. An operator edits these; `CorePrice` says what an hour costs."""

    code = models.CharField(max_length=8, primary_key=True)
    description = models.CharField(max_length=200, blank=True)
    compute_units = models.DecimalField(
        max_digits=6, decimal_places=2, help_text="CPU share: 1 unit is about one 1.0-1.2 GHz core of 2007."
    )
    memory_mb = models.PositiveIntegerField(help_text="Memory per core, in MB.")
    disk_mb = models.PositiveIntegerField(help_text="Scratch space per job, in MB.")
    max_processes = models.PositiveIntegerField(default=512, help_text="Processes and threads per core.")
    allowed_cores = models.JSONField(default=list, help_text="Numbers of cores that one job may ask for.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on pages.")
    is_active = models.BooleanField(default=True, help_text="Whether new jobs may use it.")

    class Meta:
        ordering: ClassVar = ["position", "code"]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        cores = self.allowed_cores
        if not isinstance(cores, list) or not cores or not all(type(n) is int and n > 0 for n in cores):
            raise ValidationError({"allowed_cores": "Give a list of positive whole numbers, such as [1, 2, 4]."})


class CorePrice(models.Model):
    """What a core-hour of a type costs from a moment on. Never edited: a new price is a new row."""

    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="prices")
    per_core_hour = models.DecimalField(max_digits=12, decimal_places=6, help_text="Dollars.")
    per_reserved_core_hour = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text="Dollars, of one kept ready; empty: 30 %."
    )
    effective_from = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-effective_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["core_type", "effective_from"], name="one_price_at_a_time"),
            models.CheckConstraint(
                condition=models.Q(per_core_hour__gte=0, per_reserved_core_hour__gte=0), name="price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.core_type_id} ${self.per_core_hour.normalize():f} from {self.effective_from:%Y-%m-%d}"


class Dedication(models.Model):
    """A worker that serves one account's work of one core type, and nobody else's, until the row is gone.

    The worker looks for its row between jobs, and says in its presence that it has found it.
    """

    worker = models.CharField(max_length=100, primary_key=True, help_text="The name under which it holds leases.")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["worker"]

    def __str__(self) -> str:
        return f"{self.worker} for account {self.account_id} on {self.core_type_id}"


class Function(models.Model):
    """A function by name, within an account: what jobs are searched by and run times are learned for."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    module = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "module", "name"], name="function_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.module else self.name


class JidCounter(models.Model):
    """The next free jid of an account. Jids count from 1 in each account."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    next_jid = models.BigIntegerField(default=1)
    # Here, because each submit writes this row: who places a hold and who submits never pass each other unseen.
    has_holds = models.BooleanField(default=False, help_text="Whether there are holds on the account.")

    def __str__(self) -> str:
        return f"next jid {self.next_jid}"


class Hold(models.Model):
    """Jobs of an account that must not start until this is lifted: those of a label, of an API key, or all of them.

    Rooms above place and lift holds; `source` is their name for it.
    """

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="holds", db_index=False
    )
    source = models.CharField(max_length=40)
    label = models.CharField(max_length=200, blank=True, help_text="Label of the jobs; none for all jobs.")
    api_key = models.BigIntegerField(null=True, blank=True, help_text="Number of their API key; none for any.")
    reason = models.CharField(max_length=16, choices=[(r.value, r.label) for r in Reason if r in HOLDING])
    sentence = models.CharField(max_length=300, help_text="Why, and until when, for people.")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "source"], name="hold_once")]

    def __str__(self) -> str:
        return f"{self.source} holds {self.label or 'all jobs'} of {self.account_id}"

    def meets(self, *, label: str, api_key: int | None) -> bool:
        """Whether it holds jobs of this label that came by this key."""
        return self.label in ("", label) and self.api_key in (None, api_key)


class ModuleSet(models.Model):
    """The archives of modules that travel with functions of an account: each list of them once."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the digests and names of its archives.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "digest"], name="module_set_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"modules {self.digest[:12]}"


class ModuleArchive(models.Model):
    """One archive of a set, in the order in which Python looks for modules there."""

    module_set = models.ForeignKey(ModuleSet, on_delete=models.CASCADE, related_name="archives", db_index=False)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200, help_text="What is in it, for people: attrs 25.3.0.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["module_set", "position"], name="archive_once_per_position"),
        ]

    def __str__(self) -> str:
        return self.name


class Runnable(models.Model):
    """What a job runs, and on what: the columns of a batch, and of what submits the same again and again."""

    function = models.ForeignKey(Function, on_delete=models.PROTECT, related_name="+", db_index=False)
    function_blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    module_set = models.ForeignKey(
        ModuleSet, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    cores = models.PositiveSmallIntegerField(default=1)
    priority = models.IntegerField(default=5)
    max_runtime_ms = models.BigIntegerField(null=True, blank=True)
    max_charge = models.BigIntegerField(
        null=True, blank=True, help_text="What the call, or all of the map, may cost: ms x cores x micro-dollars."
    )
    restartable = models.BooleanField(default=True)
    env_vars = models.JSONField(default=dict, blank=True)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.JSONField(default=dict, blank=True, help_text="Host, process and versions of the submitter.")
    # A number and no foreign key: keys stay, and a submit is spared a check.
    api_key = models.BigIntegerField(
        null=True, blank=True, help_text="Number of the API key that submitted it; none when a page did."
    )

    class Meta:
        abstract = True

    @property
    def max_cost(self) -> Decimal | None:
        """Dollars that it may cost in all, None without a limit."""
        return None if self.max_charge is None else dollars(self.max_charge)

    @property
    def module_names(self) -> list[str]:
        """What travels with the function, in words for people."""
        return [archive.name for archive in self.module_set.archives.all()] if self.module_set else []


class Batch(Runnable):
    """One submit: a function, its options, and `size` jobs with contiguous jids."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="batches", db_index=False
    )
    idempotency_key = models.CharField(max_length=64, null=True, editable=False)
    is_map = models.BooleanField(default=False)
    size = models.PositiveIntegerField(help_text="Jobs announced; a long map arrives in several requests.")
    received = models.PositiveIntegerField(default=0, help_text="Jobs received so far.")
    first_jid = models.BigIntegerField()
    label = models.CharField(max_length=200, blank=True)
    kill_process = models.BooleanField(default=False)
    ignore_dependency_errors = models.BooleanField(default=False)
    parent_jid = models.BigIntegerField(null=True, blank=True, help_text="The job that submitted this one.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    # How many of its jobs are in each status, and what the finished ones took; kept by the services.
    n_waiting = models.PositiveIntegerField(default=0)
    n_queued = models.PositiveIntegerField(default=0)
    n_processing = models.PositiveIntegerField(default=0)
    n_done = models.PositiveIntegerField(default=0)
    n_error = models.PositiveIntegerField(default=0)
    n_killed = models.PositiveIntegerField(default=0)
    n_stalled = models.PositiveIntegerField(default=0)
    run_ms = models.BigIntegerField(default=0, help_text="Sum over finished runs.")
    charge = models.BigIntegerField(default=0, help_text="Sum of ms x cores x micro-dollars per core-hour.")
    memory_peak = models.BigIntegerField(default=0, help_text="Bytes, of the job that used most.")

    class Meta:
        verbose_name_plural = "batches"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "idempotency_key"], name="submit_once"),
            models.UniqueConstraint(fields=["account", "first_jid"], name="batch_first_jid"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="batch_newest"),
            models.Index(fields=["account", "function", "-id"], name="batch_by_function"),
            models.Index(fields=["account", "label", "-id"], name="batch_by_label"),
            models.Index(fields=["account", "core_type", "-id"], name="batch_by_core_type"),
            models.Index(fields=["account", "created_at", "-id"], name="batch_by_date"),
            models.Index(
                fields=["account", "parent_jid"], name="batch_children", condition=models.Q(parent_jid__isnull=False)
            ),
            models.Index(fields=["module_set"], name="batch_modules", condition=models.Q(module_set__isnull=False)),
            *(
                # A filter by status reads only the batches that have such a job.
                models.Index(
                    fields=["account", "-id"], name=f"batch_has_{status}", condition=models.Q(**{f"n_{status}__gt": 0})
                )
                for status in Status.values
            ),
        ]

    def __str__(self) -> str:
        if self.is_map:
            return f"map {self.first_jid}-{self.last_jid}"
        return f"job {self.first_jid}"

    @property
    def last_jid(self) -> int:
        return self.first_jid + self.size - 1

    @property
    def counts(self) -> dict[Status, int]:
        """Jobs per status, in the order of the life of a job."""
        return {status: getattr(self, f"n_{status}") for status in Status}

    @property
    def n_finished(self) -> int:
        return sum(self.counts[status] for status in FINISHED)

    @property
    def cost(self) -> Decimal:
        """Dollars charged for its finished runs."""
        return dollars(self.charge)

    @property
    def compute_hours(self) -> Decimal:
        """Compute-unit hours of its finished runs."""
        return compute_hours(core_ms=self.run_ms * self.cores, compute_units=self.core_type.compute_units)


class BatchTrace(models.Model):
    """What a bill still has to say of a batch whose jobs were all deleted. Removed when that is written down."""

    batch_id = models.BigIntegerField(primary_key=True)
    function = models.CharField(max_length=401)
    label = models.CharField(max_length=200, blank=True)
    api_key = models.BigIntegerField(null=True, blank=True)
    deleted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"trace of batch {self.batch_id}"


class ArgumentPack(models.Model):
    """The pickled arguments of `count` jobs of a batch, from item `first_index` on, in one blob."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="packs", db_index=False)
    first_index = models.PositiveIntegerField()
    count = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "first_index"], name="pack_once"),
        ]

    def __str__(self) -> str:
        return f"items {self.first_index}-{self.first_index + self.count - 1} of {self.batch}"


class Job(models.Model):
    """One call of a function. `attempt` counts the claims; reports of an earlier one are never applied."""

    # Its batch's, like the core type below: the database checks them there, once, and not for each of 10,000 jobs.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs", db_index=False, db_constraint=False
    )
    jid = models.BigIntegerField()
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    index = models.PositiveIntegerField(help_text="Place in the batch, from 0.")
    status = models.CharField(max_length=10, choices=Status.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    # Repeated from the batch, because a claim reads one narrow index and no join.
    core_type = models.ForeignKey(
        CoreType, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    cores = models.PositiveSmallIntegerField(default=1)
    priority = models.IntegerField(default=5)
    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    kill_requested_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    run_ms = models.BigIntegerField(null=True, blank=True)
    price_micros = models.BigIntegerField(
        null=True, blank=True, help_text="Price at its start: millionths of a dollar per core-hour."
    )
    cpu_user_ms = models.BigIntegerField(null=True, blank=True)
    cpu_system_ms = models.BigIntegerField(null=True, blank=True)
    memory_peak = models.BigIntegerField(null=True, blank=True, help_text="Bytes.")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "jid"], name="jid_once_per_account"),
        ]
        # The foreign keys have no index of their own: these begin with them, and a map inserts 10,000 rows.
        indexes: ClassVar = [
            models.Index(fields=["batch", "index"], name="job_in_batch"),
            models.Index(
                fields=["account", "core_type", "cores", "priority", "jid"],
                name="job_runnable",
                condition=models.Q(status="queued"),
            ),
            models.Index(fields=["lease_until"], name="job_leased", condition=models.Q(status="processing")),
            models.Index(
                fields=["account", "batch"],
                name="job_held",
                condition=models.Q(status="waiting") & ~models.Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.jid}"

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED


class JobResult(models.Model):
    """What a finished job left: a pickled value or exception that only its owner's client opens."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="result")
    is_exception = models.BooleanField(default=False)
    size = models.BigIntegerField(default=0)
    inline = models.BinaryField(null=True, editable=False)
    key = models.CharField(max_length=200, blank=True, help_text="Name in the bucket, when not inline.")
    error_text = models.TextField(blank=True, help_text="Traceback or the sentence that says what ended it.")

    def __str__(self) -> str:
        return f"result of {self.job_id} ({self.size} bytes)"


class JobLog(models.Model):
    """The kept output of a job on one stream: its beginning, its end, and how much was left out between."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="logs", db_index=False)
    stream = models.CharField(max_length=8, choices=[(s, s) for s in ("stdout", "stderr", "logging")])
    head = models.TextField(blank=True)
    tail = models.TextField(blank=True)
    dropped = models.BigIntegerField(default=0, help_text="Bytes left out between head and tail.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "stream"], name="log_once_per_stream")]

    def __str__(self) -> str:
        return f"{self.stream} of {self.job_id}"


class JobMetrics(models.Model):
    """CPU and memory over the life of a job, as the worker saw its sandbox."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="metrics")
    samples = models.JSONField(
        default=list, help_text="[[seconds since start, CPU in percent of one core, memory in bytes], ...]"
    )

    class Meta:
        verbose_name_plural = "job metrics"

    def __str__(self) -> str:
        return f"metrics of {self.job_id}"


class Dependency(models.Model):
    """All jobs of `batch` wait for `on_job`."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="dependencies", db_index=False)
    on_job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="dependants")

    class Meta:
        verbose_name_plural = "dependencies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "on_job"], name="dependency_once")]

    def __str__(self) -> str:
        return f"{self.batch} waits for {self.on_job_id}"


class JobEvent(models.Model):
    """Append-only story of the jobs `first_jid` to `last_jid` of a batch."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="events")
    first_jid = models.BigIntegerField()
    last_jid = models.BigIntegerField()
    name = models.CharField(max_length=32, help_text="Dotted and in the past tense: job.killed.")
    status = models.CharField(max_length=10, choices=Status.choices, blank=True, help_text="Status after it.")
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.name} {self.first_jid}-{self.last_jid}"


class UsageRecord(models.Model):
    """Append-only: one finished run, with what is needed to charge for it. Outlives the job's deletion."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    jid = models.BigIntegerField()
    batch_id = models.BigIntegerField()
    attempt = models.PositiveSmallIntegerField()
    core_type = models.ForeignKey(CoreType, on_delete=models.PROTECT, related_name="+", db_index=False)
    cores = models.PositiveSmallIntegerField()
    price_micros = models.BigIntegerField()
    started_at = models.DateTimeField()
    run_ms = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            # A job is paid once: of two attempts that both report, one is refused here.
            models.UniqueConstraint(fields=["account", "jid"], name="usage_once_per_job"),
            models.CheckConstraint(condition=models.Q(run_ms__gte=0), name="usage_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.run_ms} ms of {self.core_type_id} x {self.cores} for job {self.jid}"
