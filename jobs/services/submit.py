"""Taking in work: from a checked request to rows in the database and a wake-up for a worker."""

from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict, NotFound, Refused
from common.ranges import Range, members
from common.sql import db_time
from environments.models import Environment
from environments.selectors import environment_for
from jobs.models import ArgumentPack, Batch, CoreType, Dependency, Function, Job
from jobs.services import bus, dependencies, packs
from jobs.services.dispatch import WorkKind, announce_work
from jobs.services.events import record_event
from jobs.services.submission import Options, Submission
from jobs.states import Status
from storage.models import Blob
from storage.services import put_blob


def submit(*, account: User, submission: Submission, parent_jid: int | None = None) -> tuple[Batch, bool]:
    """Accept a submitting request, once: a repeated one gets the batch of the first. Answers (batch, created).

    `parent_jid` is the job that submits, when it comes from inside one.

    Raises Refused when it cannot run as asked, and then nothing is stored.
    """
    batch = _known_batch(account, submission)
    if batch is not None and batch.packs.filter(first_index=submission.first).exists():
        return batch, False
    if batch is None and submission.first:
        raise Conflict("submit_unknown", "The first part of this map is not here: send it from its first item.")
    core_type = core_type_for(submission.options)
    environment = _environment_for(submission)
    function_blob = batch.function_blob if batch else _function_blob(account, submission)
    # Blobs are written before the transaction: they may be large, and nothing refers to them yet.
    arguments = put_blob(account=account, data=packs.build_pack(submission.sizes, submission.items))
    try:
        with transaction.atomic():
            created = batch is None
            if batch is None:
                batch = _create_batch(account, submission, core_type, environment, function_blob, parent_jid)
            _add_items(batch, submission, arguments)
    except IntegrityError:
        # The same request on another connection was faster.
        batch = _known_batch(account, submission)
        if batch is None or not batch.packs.filter(first_index=submission.first).exists():
            raise
        return batch, False
    announce_work(WorkKind(account.pk, batch.core_type_id, batch.cores))
    bus.publish_change(account_id=account.pk, batch_ids=[batch.pk])
    return batch, created


def _known_batch(account: User, submission: Submission) -> Batch | None:
    return Batch.objects.filter(account=account, idempotency_key=submission.idempotency_key).first()


def core_type_for(options: Options) -> CoreType:
    """The core type that the options ask for. Raises Refused with the choices."""
    core_types = {core_type.code: core_type for core_type in CoreType.objects.filter(is_active=True)}
    core_type = core_types.get(options.type)
    if core_type is None:
        raise Refused(
            "unknown_core_type", f"There is no core type {options.type!r}; choose one of {', '.join(core_types)}."
        )
    if options.cores not in core_type.allowed_cores:
        allowed = ", ".join(map(str, core_type.allowed_cores))
        raise Refused("cores_not_allowed", f"A job on {core_type.code} can have {allowed} cores, not {options.cores}.")
    return core_type


def _environment_for(submission: Submission) -> Environment:
    environment = environment_for(name="base")
    python = str(submission.client.get("python", ""))
    if python != environment.python:
        raise Refused(
            "python_version",
            f"Your Python is {python or 'not named'}; jobs here run Python {environment.python} "
            f"(environment {environment.name}). Pickled functions need the same minor version: "
            f"submit with Python {environment.python}.",
        )
    return environment


def _function_blob(account: User, submission: Submission) -> Blob:
    if submission.function_bytes:
        return put_blob(account=account, data=submission.function_bytes, digest=submission.function_digest)
    blob = Blob.objects.filter(account=account, digest=submission.function_digest).first()
    if blob is None:
        raise Conflict("function_unknown", "The function is not stored here: send its bytes too.")
    return blob


def _create_batch(
    account: User,
    submission: Submission,
    core_type: CoreType,
    environment: Environment,
    function_blob: Blob,
    parent_jid: int | None,
) -> Batch:
    options = submission.options
    function, _ = Function.objects.get_or_create(
        account=account, module=submission.function_module, name=submission.function_name
    )
    batch = Batch.objects.create(
        account=account,
        idempotency_key=submission.idempotency_key,
        is_map=submission.is_map,
        size=submission.total,
        first_jid=_reserve_jids(account.pk, submission.total),
        function=function,
        function_blob=function_blob,
        label=options.label,
        core_type=core_type,
        cores=options.cores,
        priority=options.priority,
        max_runtime_ms=options.max_runtime_ms,
        restartable=options.restartable,
        kill_process=options.kill_process,
        ignore_dependency_errors=options.ignore_dependency_errors,
        env_vars=dict(options.env_vars),
        environment=environment,
        client=dict(submission.client),
        parent_jid=parent_jid,
    )
    if options.depends_on:
        _add_dependencies(batch, options.depends_on)
    return batch


def _reserve_jids(account_id: int, number: int) -> int:
    """The first of `number` new jids: a map's are contiguous because they are taken in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_jidcounter (account_id, next_jid) VALUES (%s, %s) "
            "ON CONFLICT (account_id) DO UPDATE SET next_jid = jobs_jidcounter.next_jid + %s RETURNING next_jid",
            [account_id, 1 + number, number],
        )
        return int(cursor.fetchone()[0]) - number


def _add_dependencies(batch: Batch, ranges: tuple[Range, ...]) -> None:
    """Make the batch wait for these jobs. Raises NotFound for one that the account does not have."""
    found: dict[int, int] = {}
    for first, last in ranges:
        jobs = Job.objects.filter(account_id=batch.account_id, jid__range=(first, last))
        # A finishing job must either see this dependency or be seen as finished by it: hence the lock.
        found.update(jobs.select_for_update().values_list("jid", "pk"))
    missing = [jid for jid in members(ranges) if jid not in found]
    if missing:
        raise NotFound("job_unknown", f"There is no job {missing[0]} to depend on.", jid=missing[0])
    Dependency.objects.bulk_create(Dependency(batch=batch, on_job_id=pk) for pk in found.values())


def _add_items(batch: Batch, submission: Submission, arguments: Blob) -> None:
    """Create the jobs of one request, queued, or waiting or stalled where they depend on others."""
    number = len(submission.sizes)
    ArgumentPack.objects.create(batch=batch, first_index=submission.first, count=number, blob=arguments)
    status = dependencies.status_of_new_jobs(batch) if submission.options.depends_on else Status.QUEUED
    now = timezone.now()
    _insert_jobs(batch, first=submission.first, number=number, status=status, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE jobs_batch SET received = received + %s, n_{status} = n_{status} + %s WHERE id = %s",
            [number, number, batch.pk],
        )
    first_jid = batch.first_jid + submission.first
    jids = range(first_jid, first_jid + number)
    record_event(batch.pk, jids, name="job.submitted", status=status, at=now)
    if status == Status.STALLED:
        Batch.objects.filter(pk=batch.pk, received=batch.size).update(finished_at=now)


def _insert_jobs(batch: Batch, *, first: int, number: int, status: Status, now: datetime) -> None:
    """One set-based statement: ten thousand rows in tens of milliseconds on both databases."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE item(i) AS (
                SELECT CAST(%s AS bigint) UNION ALL SELECT i + 1 FROM item WHERE i < %s
            )
            INSERT INTO jobs_job (account_id, jid, batch_id, "index", status, reason, core_type_id, cores, priority,
                                  attempt, worker, queued_at, finished_at)
            SELECT %s, %s + i, %s, i, %s, %s, %s, %s, %s, 0, '', CAST(%s AS {time}), CAST(%s AS {time}) FROM item
            """.format(time="text" if connection.vendor == "sqlite" else "timestamptz"),
            [
                first,
                first + number - 1,
                batch.account_id,
                batch.first_jid,
                batch.pk,
                status.value,
                "dependency" if status == Status.STALLED else "",
                batch.core_type_id,
                batch.cores,
                batch.priority,
                db_time(now) if status == Status.QUEUED else None,
                db_time(now) if status == Status.STALLED else None,
            ],
        )


def rerun_job(*, account: User, jid: int) -> Batch:
    """Submit the job's function with the same arguments and options again, as one new job.

    Raises NotFound for a job that this account does not have.
    """
    job = Job.objects.filter(account=account, jid=jid).select_related("batch__core_type", "batch__environment").first()
    if job is None:
        raise NotFound("job_unknown", f"There is no job {jid}.", jid=jid)
    old = job.batch
    item = packs.read_item(old, job.index)
    with transaction.atomic():
        batch = _copy_batch(old)
        blob = put_blob(account=account, data=packs.build_pack([len(item)], item))
        ArgumentPack.objects.create(batch=batch, first_index=0, count=1, blob=blob)
        now = timezone.now()
        _insert_jobs(batch, first=0, number=1, status=Status.QUEUED, now=now)
        Batch.objects.filter(pk=batch.pk).update(received=1, n_queued=1)
        record_event(
            batch.pk, [batch.first_jid], name="job.submitted", status=Status.QUEUED, detail=f"Run again of job {jid}."
        )
    announce_work(WorkKind(account.pk, batch.core_type_id, batch.cores))
    bus.publish_change(account_id=account.pk, batch_ids=[batch.pk])
    return batch


def _copy_batch(old: Batch) -> Batch:
    return Batch.objects.create(
        account_id=old.account_id,
        is_map=False,
        size=1,
        first_jid=_reserve_jids(old.account_id, 1),
        function_id=old.function_id,
        function_blob_id=old.function_blob_id,
        label=old.label,
        core_type=old.core_type,
        cores=old.cores,
        priority=old.priority,
        max_runtime_ms=old.max_runtime_ms,
        restartable=old.restartable,
        kill_process=old.kill_process,
        env_vars=old.env_vars,
        environment=old.environment,
        client=old.client,
    )
