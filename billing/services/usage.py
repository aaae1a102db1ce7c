"""Charging for runs: usage is read in the order of its numbers, each row once, and becomes lines of the ledger."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from billing.models import Kind, LedgerEntry
from billing.services.books import append, hour_of, locked_books
from common.money import charge_of
from common.sql import fetch_all
from crons.models import JOB_LABEL
from jobs.models import Batch, BatchTrace, UsageRecord
from jobs.services.delete import forget_traces
from jobs.services.usage import usage_horizon

# Rows of usage read in one transaction: some tens of milliseconds.
AT_ONCE = 10_000
CRON_PREFIX = JOB_LABEL.format("")
# Others may read a trace too, and a while behind us.
KEEP_TRACES = timedelta(days=7)


class _Names(NamedTuple):
    """What a bill says of a batch."""

    label: str
    function: str
    api_key: int | None


class _Group(NamedTuple):
    """Runs of one batch that ended in one hour, at one price."""

    account_id: int
    batch_id: int
    core_type: str
    cores: int
    price_micros: int
    hour: Any
    first_usage_id: int
    last_usage_id: int
    first_jid: int
    last_jid: int
    runs: int
    run_ms: int


def post_usage() -> int:
    """Charge every finished run that is not in the ledger yet; answers how many.

    Safe to repeat, to run twice at once, and to be killed in the middle.
    """
    before = timezone.now() - KEEP_TRACES
    horizon = usage_horizon(after=posted_through())
    posted = 0
    while number := _post(horizon):
        posted += number
    forget_traces(deleted_before=before)
    return posted


def posted_through() -> int:
    """The number of the last row of usage that the ledger has. The rows come in the order of their numbers."""
    return int(LedgerEntry.objects.aggregate(last=Max("last_usage_id"))["last"] or 0)


def _post(horizon: int) -> int:
    """Charge the next rows up to the horizon; answers how many there were."""
    # Looked at before the lock: there is mostly nothing to do.
    if not UsageRecord.objects.filter(pk__gt=posted_through(), pk__lte=horizon).exists():
        return 0
    with locked_books() as books:
        start = posted_through()
        numbers = UsageRecord.objects.filter(pk__gt=start, pk__lte=horizon).order_by("pk").values_list("pk", flat=True)
        chosen = list(numbers[:AT_ONCE])
        if not chosen:
            return 0
        groups = _groups(start, chosen[-1])
        names = _names_of({group.batch_id for group in groups})
        append(books, [_entry(group, names) for group in groups])
    return len(chosen)


def _groups(start: int, last: int) -> list[_Group]:
    rows = fetch_all(
        f"""
        SELECT account_id, batch_id, core_type_id, cores, price_micros, {_ended_hour()},
               MIN(id), MAX(id), MIN(jid), MAX(jid), COUNT(*), SUM(run_ms)
        FROM jobs_usagerecord WHERE id > %s AND id <= %s
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7
        """,
        [start, last],
    )
    return [_Group(*row) for row in rows]


def _ended_hour() -> str:
    """The hour in which a run ended, as SQL. It is charged there, because until then nobody knows what it costs."""
    if connection.vendor == "sqlite":
        return "strftime('%%Y-%%m-%%d %%H:00:00', started_at, (run_ms / 1000.0) || ' seconds')"
    # No later than now, or a clock far ahead might name a time that Python does not have.
    return "date_trunc('hour', LEAST(started_at + run_ms * interval '1 millisecond', now()), 'UTC')"


def _hour(value: Any) -> datetime:
    """SQLite's text as a moment, and now for a time that no calendar has."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else hour_of(timezone.now())


def _names_of(batch_ids: Iterable[int]) -> Mapping[int, _Names]:
    """By batch; of one that was deleted since its runs ended, by what it left."""
    batches = Batch.objects.filter(pk__in=batch_ids).select_related("function").only("label", "api_key", "function")
    found = {batch.pk: _Names(batch.label, str(batch.function), batch.api_key) for batch in batches}
    traces = BatchTrace.objects.filter(pk__in=[number for number in batch_ids if number not in found])
    return found | {trace.pk: _Names(trace.label, trace.function, trace.api_key) for trace in traces}


def _entry(group: _Group, names: Mapping[int, _Names]) -> LedgerEntry:
    label, function, api_key = names.get(group.batch_id, _Names("", "", None))
    run_ms = int(group.run_ms)
    return LedgerEntry(
        account_id=group.account_id,
        kind=Kind.COMPUTE,
        core_type=group.core_type,
        label=label,
        function=function,
        cron=label.removeprefix(CRON_PREFIX) if label.startswith(CRON_PREFIX) else "",
        api_key=api_key,
        at=_hour(group.hour),
        charge=charge_of(run_ms=run_ms, cores=group.cores, price_micros=group.price_micros),
        core_ms=run_ms * group.cores,
        runs=group.runs,
        cores=group.cores,
        price_micros=group.price_micros,
        batch_id=group.batch_id,
        first_jid=group.first_jid,
        last_jid=group.last_jid,
        first_usage_id=group.first_usage_id,
        last_usage_id=group.last_usage_id,
    )
