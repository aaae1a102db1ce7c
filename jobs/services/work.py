"""What a worker needs to know of a batch to run its jobs, read in one statement."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from common.money import MICROS_PER_DOLLAR
from common.sql import db_time, fetch_one, from_json
from jobs.models import RESERVED_SHARE
from jobs.services.dispatch import WorkKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """The part of a batch, and of what it refers to, that does not change while it runs."""

    batch_id: int
    account_id: int
    first_jid: int
    last_jid: int
    priority: int
    cores: int
    max_runtime_ms: int | None
    max_charge: int | None
    kill_process: bool
    env_vars: dict[str, str]
    function_blob_id: int
    core_type: str
    compute_units: Decimal
    memory_mb: int
    disk_mb: int
    max_processes: int
    image: str
    environment_digest: str
    environment: str
    module_set_id: int | None

    @property
    def kind(self) -> WorkKind:
        return WorkKind(self.account_id, self.core_type, self.cores)

    @property
    def memory_limit(self) -> int:
        """Bytes."""
        return self.memory_mb * self.cores * 1_000_000

    @property
    def disk_limit(self) -> int:
        """Bytes."""
        return self.disk_mb * 1_000_000


_LOAD = """
SELECT batch.id, batch.account_id, batch.first_jid, batch.first_jid + batch.size - 1, batch.priority, batch.cores,
       batch.max_runtime_ms, batch.max_charge, batch.kill_process, batch.env_vars, batch.function_blob_id,
       core_type.code, core_type.compute_units, core_type.memory_mb, core_type.disk_mb, core_type.max_processes,
       environment.image, environment.digest, environment.name, batch.module_set_id
FROM jobs_batch batch
JOIN jobs_coretype core_type ON core_type.code = batch.core_type_id
JOIN environments_environment environment ON environment.id = batch.environment_id
WHERE batch.id = %s
"""


def load_work(batch_id: int) -> Work:
    """Raises LookupError when the batch is gone."""
    row = fetch_one(_LOAD, [batch_id])
    if row is None:
        raise LookupError(f"there is no batch {batch_id}")
    values: dict[str, Any] = dict(zip(Work.__dataclass_fields__, row, strict=True))
    values["kill_process"] = bool(values["kill_process"])
    values["env_vars"] = from_json(values["env_vars"])
    values["compute_units"] = Decimal(str(values["compute_units"]))
    return Work(**values)


class Price(NamedTuple):
    """Millionths of a dollar per core-hour: of what runs, and of what is only kept ready."""

    standard: int
    reserved: int


def price_now(core_type: str) -> int:
    """Millionths of a dollar per core-hour in force now; 0 for a type without a price."""
    return prices_now(core_type).standard


def prices_now(core_type: str) -> Price:
    """Both prices in force now; 0 for a type without a price."""
    row = fetch_one(
        "SELECT per_core_hour, per_reserved_core_hour FROM jobs_coreprice WHERE core_type_id = %s "
        "AND effective_from <= %s ORDER BY effective_from DESC LIMIT 1",
        [core_type, db_time(timezone.now())],
    )
    standard, reserved = (None if amount is None else Decimal(str(amount)) for amount in row or (0, 0))
    assert standard is not None
    return Price(_micros(standard), _micros(standard * RESERVED_SHARE if reserved is None else reserved))


def _micros(amount: Decimal) -> int:
    return round(amount * MICROS_PER_DOLLAR)
