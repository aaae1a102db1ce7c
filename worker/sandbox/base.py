"""What a sandbox is to the worker, whichever kind it is."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from worker.inside.frames import Buffer, Header
from worker.sandbox.link import Link, SandboxLost
from worker.sandbox.meter import Meter
from worker.sandbox.scratch import Scratch
from worker.sandbox.shelf import Shelf

if TYPE_CHECKING:
    from jobs.models import CoreType


class SandboxFailed(Exception):
    """A sandbox could not be started. The message says why and what to do, in a sentence for people."""


@dataclass(frozen=True)
class SandboxKey:
    """What a warm sandbox may be used for. Without an account it is a spare, still to be assigned."""

    account_id: int | None
    environment: str  # digest
    core_type: str
    cores: int


@dataclass(frozen=True)
class Limits:
    """What a sandbox may use."""

    memory: int  # bytes
    cpu_shares: int  # 1024 for each compute unit
    processes: int
    disk: int  # bytes

    @classmethod
    def of(cls, core_type: "CoreType", cores: int) -> "Limits":
        return cls(
            memory=core_type.memory_mb * cores * 1_000_000,
            cpu_shares=max(2, int(core_type.compute_units * cores * 1024)),
            processes=core_type.max_processes * cores,
            disk=core_type.disk_mb * 1_000_000,
        )


@dataclass(frozen=True)
class Usage:
    """What a sandbox has used since it started, and uses now."""

    cpu_ns: int = 0
    memory: int = 0  # bytes, without page cache that the kernel can drop
    memory_peak: int = 0  # bytes, since reset_peak()
    oom_kills: int = 0
    disk: int = 0  # bytes


class Sandbox(ABC):
    """One warm place where jobs of one account run, one run at a time.

    Start it, send `run` frames, take frames while `select` says that there are some, close it. Every
    method but close() raises SandboxLost once the sandbox has ended by itself.
    """

    def __init__(self, *, slot: int, key: SandboxKey, image: str, limits: Limits) -> None:
        self.slot, self.key, self.image, self.limits = slot, key, image, limits
        self.name = f"{slot}-{secrets.token_hex(4)}"
        self.python = ""
        self.oom_kills_seen = 0  # of usage().oom_kills, those that the worker has laid to a job
        self._scratch = Scratch(self.name)
        self._link = Link(self._scratch.link)
        self.shelf = Shelf(self._scratch)
        self._meter: Meter | None = None
        self._peak = 0

    def start(self) -> None:
        """Bring it up and wait until its runner answers; raises SandboxFailed."""
        try:
            self._scratch.create()
            self._link.listen()
            self._launch()
            hello = self._link.accept(self._why_dead)
            self.python = str(hello["python"])
            self._meter = self._make_meter(self._link.peer_pid)
        except SandboxLost as lost:
            self.close()
            raise SandboxFailed(str(lost)) from lost
        except BaseException:
            self.close()
            raise

    def is_alive(self) -> bool:
        """Whether it still runs. A warm one may have ended while nobody looked."""
        return self._link.is_alive()

    def assign(self, account_id: int) -> None:
        """Give a spare to its first and only account."""
        if self.key.account_id not in (None, account_id):
            raise ValueError(f"this sandbox is account {self.key.account_id}'s and cannot become {account_id}'s")
        self.key = replace(self.key, account_id=account_id)

    def send(self, header: Header, *payload: Buffer) -> None:
        """Send one frame to the runner."""
        if self.key.account_id is None:
            raise ValueError("a spare sandbox runs nothing before it is assigned")
        self._link.send(header, *payload)

    def receive(self) -> Iterable[tuple[Header, bytes]]:
        """The frames that have come, without waiting for more."""
        return self._link.receive()

    def fileno(self) -> int:
        """For select(): readable when receive() has something to read."""
        return self._link.fileno()

    def reset_peak(self) -> None:
        """Let memory_peak count from now on."""
        self._peak = 0

    def usage(self) -> Usage:
        """Figures of all processes in it, read on this side of the wall."""
        meter = self._meter
        if meter is None:
            raise SandboxLost("the sandbox is not running")
        memory, kills = meter.memory(), meter.oom_kills()
        # Between two looks it may have risen and fallen; once it ran out, it had reached the limit.
        self._peak = max(self._peak, memory, self.limits.memory if kills else 0)
        disk = self._scratch.used(meter.pids())
        return Usage(cpu_ns=meter.cpu_ns(), memory=memory, memory_peak=self._peak, oom_kills=kills, disk=disk)

    @property
    @abstractmethod
    def modules_inside(self) -> str:
        """Where jobs see the shelf of modules."""

    @abstractmethod
    def close(self) -> None:
        """End everything in it and remove what it left. Safe to repeat, also when it never came up."""

    @abstractmethod
    def _launch(self) -> None: ...

    @abstractmethod
    def _make_meter(self, pid: int) -> Meter: ...

    @abstractmethod
    def _why_dead(self) -> str:
        """A sentence when it has ended before it answered, else nothing."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


__all__ = ["Limits", "Sandbox", "SandboxFailed", "SandboxKey", "SandboxLost", "Usage"]
