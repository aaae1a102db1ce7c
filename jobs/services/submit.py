"""Taking in work: from a checked request to rows in the database and a wake-up for a worker."""

from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict, NotFound, Refused
from common.ranges import Range, members
from common.sql import db_time, execute, fetch_all, fetch_one, from_json, insert_row
from environments.selectors import BASE
from jobs.models import ArgumentPack, Batch, Dependency, Job, Runnable
from jobs.services import dependencies, packs
from jobs.services.dispatch import WorkKind, announce_work
from jobs.services.events import record_event
from jobs.services.modules import set_of
from jobs.services.start import QUEUED, Start, start_of
from jobs.services.submission import Options, Submission
from jobs.states import Status
from storage.models import Blob
from storage.services import hold_blob, put_blob


class Accepted(NamedTuple):
    """What became of a submitting request."""

    batch_id: int
    first_jid: int
    size: int
    created: bool  # False when the request had been accepted before
    has_holds: bool | None = None  # whether there are any on the account, as far as that was seen


def submit(
    *, account: User, submission: Submission, parent_jid: int | None = None, api_key: int | None = None
) -> Accepted:
    """Accept a submitting request; a repeated one gets what the first got.

    `parent_jid` is the job that submits, when it comes from inside one; its key is then that of the job. Raises
    Refused when the request cannot run as asked, and then nothing is stored.
    """
    known = _accepted_before(account, submission)
    if known is not None and not _is_new_part(known, submission):
        return known
    if known is None and submission.first:
        raise Conflict("submit_unknown", "The first part of this map is not here: send it from its first item.")
    if known is not None:
        _check_part(known, submission)
    environment_id = environment_for(submission)
    try:
        with transaction.atomic():
            accepted = known or _create_batch(account, submission, environment_id, parent_jid, api_key)
            _add_items(account, accepted, submission)
    except IntegrityError:
        # The same request on another connection was faster.
        known = _accepted_before(account, submission)
        if known is None or _is_new_part(known, submission):
            raise
        return known
    announce_work(WorkKind(account.pk, submission.options.type, submission.options.cores), batch_id=accepted.batch_id)
    return accepted


def _accepted_before(account: User, submission: Submission) -> Accepted | None:
    row = fetch_one(
        "SELECT id, first_jid, size FROM jobs_batch WHERE account_id = %s AND idempotency_key = %s",
        [account.pk, submission.idempotency_key],
    )
    return Accepted(row[0], row[1], row[2], created=False) if row else None


def _is_new_part(known: Accepted, submission: Submission) -> bool:
    sql = "SELECT 1 FROM jobs_argumentpack WHERE batch_id = %s AND first_index = %s"
    return fetch_one(sql, [known.batch_id, submission.first]) is None


def _check_part(known: Accepted, submission: Submission) -> None:
    """Check that a further part belongs to the map that its first part announced. Raises Conflict."""
    options = submission.options
    sql = "SELECT size, core_type_id, cores, priority FROM jobs_batch WHERE id = %s"
    differs = fetch_one(sql, [known.batch_id]) != (submission.total, options.type, options.cores, options.priority)
    last = submission.first + len(submission.sizes) - 1
    sql = 'SELECT 1 FROM jobs_job WHERE batch_id = %s AND "index" BETWEEN %s AND %s LIMIT 1'
    overlaps = fetch_one(sql, [known.batch_id, submission.first, last]) is not None
    # Asked again: its twin on another connection may have been faster.
    if differs or (overlaps and _is_new_part(known, submission)):
        raise Conflict("submit_differs", "This idempotency_key was used for another submit. Take a new one for each.")


def core_type_for(options: Options) -> None:
    """Check that the options ask for a core type that there is. Raises Refused with the choices."""
    sql = "SELECT code, allowed_cores FROM jobs_coretype WHERE is_active ORDER BY position"
    allowed = {code: from_json(cores) for code, cores in fetch_all(sql, [])}
    if options.type not in allowed:
        raise Refused(
            "unknown_core_type", f"There is no core type {options.type!r}; choose one of {', '.join(allowed)}."
        )
    if options.cores not in allowed[options.type]:
        choices = ", ".join(map(str, allowed[options.type]))
        unit = "core" if choices == "1" else "cores"
        raise Refused("cores_not_allowed", f"A job on {options.type} can have {choices} {unit}, not {options.cores}.")


def environment_for(submission: Submission) -> int:
    """The key of the environment that jobs run in.

    Raises Refused when its Python is not the caller's, or when there is no such core type.
    """
    core_type_for(submission.options)
    row = fetch_one("SELECT id, python FROM environments_environment WHERE name = %s", [BASE])
    if row is None:
        raise Conflict("environment_unknown", "This installation has no environment to run jobs in yet.")
    environment_id, python = row
    theirs = str(submission.client.get("python", ""))
    if theirs != python:
        raise Refused(
            "python_version",
            f"Your Python is {theirs or 'not named'}; jobs here run Python {python} (environment {BASE}). "
            f"Pickled functions need the same minor version: submit with Python {python}.",
        )
    return int(environment_id)


def _function_blob(account: User, submission: Submission) -> Blob:
    if submission.function_bytes:
        return put_blob(account=account, data=submission.function_bytes, digest=submission.function_digest)
    blob = hold_blob(account=account, digest=submission.function_digest)
    if blob is None:
        raise Conflict("function_unknown", "The function is not stored here: send its bytes too.")
    return blob


def _function_id(account: User, submission: Submission) -> int:
    named = [account.pk, submission.function_module, submission.function_name]
    find = "SELECT id FROM jobs_function WHERE account_id = %s AND module = %s AND name = %s"
    # Looked for first, since it is nearly always there; then whoever is first makes it.
    for sql in (find, _MAKE_FUNCTION, find):
        row = fetch_one(sql, named)
        if row is not None:
            return int(row[0])
    raise RuntimeError("a function was made and deleted at the same moment")


_MAKE_FUNCTION = (
    "INSERT INTO jobs_function (account_id, module, name) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"
)


def run_columns(
    account: User, submission: Submission, environment_id: int, *, api_key: int | None = None
) -> dict[str, Any]:
    """The columns of a `Runnable`. Call it inside the transaction that writes them: it holds the function's blob."""
    options = submission.options
    return {
        "function_id": _function_id(account, submission),
        "function_blob_id": _function_blob(account, submission).pk,
        "module_set_id": set_of(account=account, modules=submission.modules) if submission.modules else None,
        "core_type_id": options.type,
        "cores": options.cores,
        "priority": options.priority,
        "max_runtime_ms": options.max_runtime_ms,
        "max_charge": options.max_charge,
        "restartable": options.restartable,
        "env_vars": dict(options.env_vars),
        "environment_id": environment_id,
        "client": dict(submission.client),
        "api_key": api_key,
    }


def columns_of(row: Runnable) -> dict[str, Any]:
    """The columns of a `Runnable`, for a row that is to run the same."""
    return {name: getattr(row, name) for name in RUN_COLUMNS}


RUN_COLUMNS = tuple(field.attname for field in Runnable._meta.local_fields)


def _key_of(account: User, jid: int) -> int | None:
    """The API key behind a job."""
    row = fetch_one(
        "SELECT batch.api_key FROM jobs_job job JOIN jobs_batch batch ON batch.id = job.batch_id "
        "WHERE job.account_id = %s AND job.jid = %s",
        [account.pk, jid],
    )
    return row[0] if row else None


def _create_batch(
    account: User, submission: Submission, environment_id: int, parent_jid: int | None, api_key: int | None
) -> Accepted:
    options = submission.options
    if parent_jid is not None:
        api_key = _key_of(account, parent_jid)
    # First of all: on SQLite this takes the writer's lock, on PostgreSQL it orders the submits of an account.
    first_jid, has_holds = reserve_jids(account.pk, submission.total)
    batch_id = insert_row(
        Batch,
        account_id=account.pk,
        idempotency_key=submission.idempotency_key,
        is_map=submission.is_map,
        size=submission.total,
        first_jid=first_jid,
        label=options.label,
        kill_process=options.kill_process,
        ignore_dependency_errors=options.ignore_dependency_errors,
        parent_jid=parent_jid,
        **run_columns(account, submission, environment_id, api_key=api_key),
    )
    if options.depends_on:
        _add_dependencies(account, batch_id, options.depends_on)
    return Accepted(batch_id, first_jid, submission.total, created=True, has_holds=has_holds)


def reserve_jids(account_id: int, number: int) -> tuple[int, bool]:
    """The first of `number` new jids, and whether there are holds on the account, in one statement.

    A map's jids are contiguous because they are taken at once.
    """
    row = fetch_one(
        "INSERT INTO jobs_jidcounter (account_id, next_jid, has_holds) VALUES (%s, %s, FALSE) "
        "ON CONFLICT (account_id) DO UPDATE SET next_jid = jobs_jidcounter.next_jid + %s RETURNING next_jid, has_holds",
        [account_id, 1 + number, number],
    )
    assert row is not None
    return int(row[0]) - number, bool(row[1])


def _add_dependencies(account: User, batch_id: int, ranges: tuple[Range, ...]) -> None:
    """Make the batch wait for these jobs. Raises NotFound for one that the account does not have."""
    found: dict[int, int] = {}
    for first, last in ranges:
        jobs = Job.objects.filter(account=account, jid__range=(first, last))
        # A finishing job must either see this dependency or be seen as finished by it: hence the lock.
        found.update(jobs.select_for_update().values_list("jid", "pk"))
    missing = [jid for jid in members(ranges) if jid not in found]
    if missing:
        raise NotFound("job_unknown", f"There is no job {missing[0]} to depend on.", jid=missing[0])
    Dependency.objects.bulk_create(Dependency(batch_id=batch_id, on_job_id=pk) for pk in found.values())


def _add_items(account: User, accepted: Accepted, submission: Submission) -> None:
    """Create the jobs of one request, queued, or waiting or stalled where they depend on others."""
    number, options = len(submission.sizes), submission.options
    arguments = put_blob(account=account, data=packs.build_pack(submission.sizes, submission.items))
    insert_row(
        ArgumentPack, batch_id=accepted.batch_id, first_index=submission.first, count=number, blob_id=arguments.pk
    )
    start = QUEUED
    if options.depends_on:
        start = dependencies.start_of_new_jobs(Batch.objects.get(pk=accepted.batch_id))
    if start == QUEUED and accepted.has_holds is not False:
        start = start_of(Batch.objects.get(pk=accepted.batch_id))
    new = _NewJobs(
        account_id=account.pk,
        batch_id=accepted.batch_id,
        first_jid=accepted.first_jid,
        core_type=options.type,
        cores=options.cores,
        priority=options.priority,
    )
    _insert_jobs(new, first=submission.first, number=number, start=start)


class _NewJobs(NamedTuple):
    """What all jobs of a batch have alike."""

    account_id: int
    batch_id: int
    first_jid: int
    core_type: str
    cores: int
    priority: int


def _insert_jobs(new: _NewJobs, *, first: int, number: int, start: Start) -> None:
    """One set-based statement: ten thousand rows in tens of milliseconds on both databases."""
    status = start.status
    now = timezone.now()
    time_type = "text" if connection.vendor == "sqlite" else "timestamptz"
    execute(
        f"""
        WITH RECURSIVE item(i) AS (
            SELECT CAST(%s AS bigint) UNION ALL SELECT i + 1 FROM item WHERE i < %s
        )
        INSERT INTO jobs_job (account_id, jid, batch_id, "index", status, reason, core_type_id, cores, priority,
                              attempt, worker, queued_at, finished_at)
        SELECT %s, %s + i, %s, i, %s, %s, %s, %s, %s, 0, '', CAST(%s AS {time_type}), CAST(%s AS {time_type})
        FROM item
        """,
        [
            first,
            first + number - 1,
            new.account_id,
            new.first_jid,
            new.batch_id,
            status.value,
            start.reason.value,
            new.core_type,
            new.cores,
            new.priority,
            db_time(now) if status == Status.QUEUED else None,
            db_time(now) if status == Status.STALLED else None,
        ],
    )
    execute(
        f"UPDATE jobs_batch SET received = received + %s, n_{status} = n_{status} + %s WHERE id = %s",
        [number, number, new.batch_id],
    )
    jids = range(new.first_jid + first, new.first_jid + first + number)
    record_event(
        new.batch_id, jids, name="job.submitted", status=status, reason=start.reason, at=now, detail=start.detail
    )
    if status == Status.STALLED:
        Batch.objects.filter(pk=new.batch_id, received=F("size")).update(finished_at=now)


def rerun_job(*, account: User, jid: int, api_key: int | None = None) -> Batch:
    """Submit the job's function with the same arguments and options again, as one new job.

    Raises NotFound for a job that this account does not have.
    """
    job = Job.objects.filter(account=account, jid=jid).select_related("batch__core_type", "batch__environment").first()
    if job is None:
        raise NotFound("job_unknown", f"There is no job {jid}.", jid=jid)
    old = job.batch
    item = packs.read_item(old, job.index)
    with transaction.atomic():
        batch = _copy_batch(old, api_key)
        blob = put_blob(account=account, data=packs.build_pack([len(item)], item))
        ArgumentPack.objects.create(batch=batch, first_index=0, count=1, blob=blob)
        new = _NewJobs(account.pk, batch.pk, batch.first_jid, batch.core_type_id, batch.cores, batch.priority)
        start = start_of(batch)
        _insert_jobs(new, first=0, number=1, start=start._replace(detail=f"Job {jid} again. {start.detail}".strip()))
    announce_work(WorkKind(account.pk, batch.core_type_id, batch.cores), batch_id=batch.pk)
    return batch


def _copy_batch(old: Batch, api_key: int | None) -> Batch:
    return Batch.objects.create(
        account_id=old.account_id,
        is_map=False,
        size=1,
        first_jid=reserve_jids(old.account_id, 1)[0],
        label=old.label,
        kill_process=old.kill_process,
        **(columns_of(old) | {"api_key": api_key}),
    )
