"""What `cloud.info` tells of a job: each field by the name that the client asks for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from reprlib import repr as shown
from typing import Any

from common.exceptions import Refused
from common.money import charge_of, compute_hours, dollars
from jobs.models import Job, JobEvent
from jobs.selectors.holds import hold_on
from jobs.services.livelog import read_live_log
from jobs.states import Status

DEFAULT_FIELDS = ("status", "stdout", "stderr", "runtime")
MOST_FIELDS = 50
SHOWN_LOG = 65_536  # characters of a stream, from its end


def job_cost(job: Job) -> Decimal | None:
    """Dollars charged for the job's run, None while it has not ended or when nothing is charged."""
    if job.run_ms is None or job.price_micros is None:
        return None
    return dollars(charge_of(run_ms=job.run_ms, cores=job.cores, price_micros=job.price_micros))


def job_compute_hours(job: Job) -> Decimal | None:
    if job.run_ms is None:
        return None
    return compute_hours(core_ms=job.run_ms * job.cores, compute_units=job.batch.core_type.compute_units)


def read_log(job: Job, stream: str) -> str:
    """The kept output of a stream, or its live tail while the job runs; a notice stands where bytes were left out."""
    for log in job.logs.all():
        if log.stream == stream:
            gap = f"\n[... {log.dropped:,} bytes left out ...]\n" if log.dropped else ""
            return f"{log.head}{gap}{log.tail}"
    if job.status == Status.PROCESSING:
        return read_live_log(job.pk).get(stream, "")
    return ""


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _log_field(stream: str) -> Callable[[Job], Any]:
    return lambda job: read_log(job, stream)[-SHOWN_LOG:]


def _error_text(job: Job) -> str | None:
    result = getattr(job, "result", None)
    return (result.error_text or None) if result else None


def _attributes(job: Job) -> dict[str, Any]:
    """Every attribute that is fixed when the job is created."""
    batch = job.batch
    return {
        "label": batch.label,
        "type": batch.core_type_id,
        "cores": batch.cores,
        "priority": batch.priority,
        "max_runtime": batch.max_runtime_ms / 60_000 if batch.max_runtime_ms else None,
        "max_cost": None if batch.max_cost is None else f"{batch.max_cost:f}",
        "restartable": batch.restartable,
        "kill_process": batch.kill_process,
        "depends_on": list(batch.dependencies.values_list("on_job__jid", flat=True)),
        "depends_on_errors": "ignore" if batch.ignore_dependency_errors else "abort",
        "env": batch.environment.name,
        "env_vars": sorted(batch.env_vars),
        "function": str(batch.function),
        "modules": batch.module_names,
        "parent_jid": batch.parent_jid,
        "map": [batch.first_jid, batch.last_jid] if batch.is_map else None,
        "client": batch.client,
    }


def events_of(job: Job) -> list[JobEvent]:
    """The story of one job, oldest first."""
    return list(
        JobEvent.objects.filter(batch_id=job.batch_id, first_jid__lte=job.jid, last_jid__gte=job.jid).order_by("id")
    )


def _events(job: Job) -> list[dict[str, Any]]:
    return [
        {
            "name": event.name,
            "status": event.status,
            "reason": event.reason,
            "attempt": event.attempt,
            "worker": event.worker,
            "detail": event.detail,
            "at": _time(event.at),
        }
        for event in events_of(job)
    ]


def _held_by(job: Job) -> str | None:
    hold = hold_on(job)
    return hold.sentence if hold else None


def _decimal(read: Callable[[Job], Decimal | None]) -> Callable[[Job], Any]:
    def field(job: Job) -> str | None:
        value = read(job)
        # Far below what can be paid, and without the tail of a division.
        return None if value is None else f"{round(value, 12).normalize():f}"

    return field


Fields = Mapping[str, Callable[[Job], Any]]
FIELDS: Fields = {
    "status": lambda job: job.status,
    "reason": lambda job: job.reason,
    "held_by": _held_by,
    "stdout": _log_field("stdout"),
    "stderr": _log_field("stderr"),
    "logging": _log_field("logging"),
    "exception": _error_text,
    "runtime": lambda job: None if job.run_ms is None else job.run_ms / 1000,
    "created": lambda job: _time(job.batch.created_at),
    "queued": lambda job: _time(job.queued_at),
    "started": lambda job: _time(job.started_at),
    "finished": lambda job: _time(job.finished_at),
    "env": lambda job: job.batch.environment.name,
    "function": lambda job: str(job.batch.function),
    "label": lambda job: job.batch.label or None,
    "attributes": _attributes,
    "attempt": lambda job: job.attempt,
    "cost": _decimal(job_cost),
    "compute_hours": _decimal(job_compute_hours),
    "core_type": lambda job: job.batch.core_type_id,
    "cores": lambda job: job.cores,
    "priority": lambda job: job.priority,
    "memory": lambda job: {"max_usage": job.memory_peak},
    "cputime": lambda job: {
        "user": None if job.cpu_user_ms is None else job.cpu_user_ms / 1000,
        "system": None if job.cpu_system_ms is None else job.cpu_system_ms / 1000,
    },
    "events": _events,
}


def check_fields(fields: object, *, known: Fields = FIELDS) -> list[str]:
    """The fields to answer: the usual ones for None, every one for 'all'. Raises Refused for an unknown one.

    `known` has these and those of rooms above.
    """
    if fields is None:
        return list(DEFAULT_FIELDS)
    if not isinstance(fields, list) or len(fields) > MOST_FIELDS:
        raise Refused("bad_fields", f"fields must be a list of at most {MOST_FIELDS} names, or null.")
    if fields == ["all"]:
        return list(known)
    checked = []
    for name in fields:
        if not isinstance(name, str) or name.partition(".")[0] not in known:
            raise Refused("unknown_field", f"There is no field {shown(name)}; there are {', '.join(known)}.")
        checked.append(name)
    return checked


def describe_job(job: Job, fields: Sequence[str], *, known: Fields = FIELDS) -> dict[str, Any]:
    """The fields of a job; a dotted one such as memory.max_usage is one part of its field."""
    answer = {}
    for name in fields:
        base, _, part = name.partition(".")
        value = known[base](job)
        answer[name] = value.get(part) if part and isinstance(value, dict) else value
    return answer
