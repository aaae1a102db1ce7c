"""The one sandbox that a worker keeps warm, and when it must be given up."""

import time
from dataclasses import replace

from environments.selectors import environment_for
from jobs.models import CoreType
from jobs.services.dispatch import Group
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
        self._assign_spare(key)
        if self._sandbox is None or self._sandbox.key != key:
            self._start(key, image=work.image, limits=_limits_of(work))
        assert self._sandbox is not None
        return self._sandbox

    @property
    def group(self) -> Group | None:
        """Whose work could start here at once."""
        if self._sandbox is None or self._sandbox.key.account_id is None or not self._sandbox.is_alive():
            return None
        return Group(self._sandbox.key.account_id, self._sandbox.key.core_type)

    def prepare(self, group: Group | None = None) -> None:
        """Between jobs: keep one ready for the group that this worker is dedicated to, however long it is idle.

        Without a group keep a spare ready where there is none, and drop one that has been idle for long.
        """
        if group is not None:
            self._prepare_for(group)
            return
        if self._sandbox is not None:
            is_spare = self._sandbox.key.account_id is None
            if is_spare or time.monotonic() - self._used_at < IDLE_SECONDS:
                return
        self._start_base(None, CoreType.objects.get(code=SPARE_CORE_TYPE))

    def _prepare_for(self, group: Group) -> None:
        if self.group == group:
            return
        self._start_base(group.account_id, CoreType.objects.get(code=group.core_type))

    def _start_base(self, account_id: int | None, core_type: CoreType) -> None:
        """One of the base environment, with as many cores as a job of the type has at least."""
        environment, cores = environment_for(name="base"), min(core_type.allowed_cores)
        key = SandboxKey(account_id, environment.digest, core_type.code, cores)
        self._assign_spare(key)
        if self._sandbox is None or self._sandbox.key != key or not self._sandbox.is_alive():
            self._start(key, image=environment.image, limits=Limits.of(core_type, cores))

    def _assign_spare(self, key: SandboxKey) -> None:
        """Give the spare to the account of the key, when it is one like that."""
        spare = self._sandbox
        if spare is not None and key.account_id is not None and spare.key == replace(key, account_id=None):
            spare.assign(key.account_id)

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
