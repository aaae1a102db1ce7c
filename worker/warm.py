"""The one sandbox that a worker keeps warm, and when it must be given up."""

import time
from dataclasses import replace

from environments.selectors import environment_for
from jobs.models import CoreType
from jobs.services.work import Work
from worker.sandbox import Limits, Sandbox, SandboxKey, new_sandbox

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

    def for_work(self, work: Work) -> Sandbox:
        """A running sandbox for this account, environment, core type and cores. Raises SandboxFailed."""
        key = SandboxKey(work.account_id, work.environment_digest, work.core_type, work.cores)
        self._used_at = time.monotonic()
        if self._sandbox is not None and not self._sandbox.is_alive():
            self.drop()
        spare = self._sandbox
        if spare is not None and spare.key == replace(key, account_id=None):
            spare.assign(work.account_id)
        if self._sandbox is None or self._sandbox.key != key:
            self._start(key, image=work.image, limits=_limits_of(work))
        assert self._sandbox is not None
        return self._sandbox

    def prepare(self) -> None:
        """Between jobs: keep a spare ready where there is none, and drop one that has been idle for long."""
        if self._sandbox is not None:
            is_spare = self._sandbox.key.account_id is None
            if is_spare or time.monotonic() - self._used_at < IDLE_SECONDS:
                return
        environment = environment_for(name="base")
        core_type = CoreType.objects.get(code=SPARE_CORE_TYPE)
        key = SandboxKey(None, environment.digest, core_type.code, 1)
        self._start(key, image=environment.image, limits=Limits.of(core_type, 1))

    def _start(self, key: SandboxKey, *, image: str, limits: Limits) -> None:
        self.drop()
        sandbox = new_sandbox(slot=self._slot, key=key, image=image, limits=limits)
        sandbox.start()
        self._sandbox = sandbox

    def drop(self) -> None:
        """Destroy the sandbox with all that is in it."""
        if self._sandbox is not None:
            sandbox, self._sandbox = self._sandbox, None
            sandbox.close()


def _limits_of(work: Work) -> Limits:
    return Limits(
        memory=work.memory_limit,
        cpu_shares=max(2, int(work.compute_units * work.cores * 1024)),
        processes=work.max_processes * work.cores,
        disk=work.disk_limit,
    )
