"""The one sandbox that a worker keeps warm, and when it must be given up."""

import logging
import time

from environments.models import Environment
from jobs.models import Batch, CoreType
from worker.sandbox import Sandbox, SandboxKey, SandboxSpec, start_sandbox

logger = logging.getLogger(__name__)

IDLE_SECONDS = 120.0
SPARE_CORE_TYPE = "c1"


class WarmSandbox:
    """Holds at most one sandbox: of the account served last, or a spare one that nobody has used.

    A sandbox never goes from one account to another: it is destroyed first.
    """

    def __init__(self, *, slot: int) -> None:
        self._slot = slot
        self._sandbox: Sandbox | None = None
        self._used_at = time.monotonic()

    def for_batch(self, batch: Batch) -> Sandbox:
        """A running sandbox for this batch's account, environment, core type and cores. Raises SandboxLost."""
        key = SandboxKey(
            account_id=batch.account_id,
            environment=batch.environment.digest,
            core_type=batch.core_type_id,
            cores=batch.cores,
        )
        self._used_at = time.monotonic()
        if self._sandbox is not None and self._sandbox.assign(key):
            return self._sandbox
        self.drop()
        self._sandbox = start_sandbox(_spec(batch.environment, batch.core_type, batch.cores), slot=self._slot)
        self._sandbox.assign(key)
        return self._sandbox

    def prepare(self) -> None:
        """Between jobs: keep a spare ready where there is none, and drop one that has been idle for long."""
        if self._sandbox is not None and self._sandbox.is_spare:
            return
        if self._sandbox is not None and time.monotonic() - self._used_at < IDLE_SECONDS:
            return
        self.drop()
        environment = Environment.objects.filter(name="base").first()
        core_type = CoreType.objects.filter(code=SPARE_CORE_TYPE).first()
        if environment is not None and core_type is not None:
            self._sandbox = start_sandbox(_spec(environment, core_type, 1), slot=self._slot)

    def drop(self) -> None:
        """Destroy the sandbox with all that is in it."""
        if self._sandbox is not None:
            sandbox, self._sandbox = self._sandbox, None
            sandbox.close()


def _spec(environment: Environment, core_type: CoreType, cores: int) -> SandboxSpec:
    return SandboxSpec(
        image=environment.image,
        environment=environment.digest,
        core_type=core_type.code,
        cores=cores,
        compute_units=float(core_type.compute_units),
        memory_bytes=core_type.memory_mb * 1_000_000 * cores,
        disk_bytes=core_type.disk_mb * 1_000_000,
        max_processes=core_type.max_processes * cores,
    )
