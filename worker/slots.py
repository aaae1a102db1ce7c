"""The cores of this host, shared between its workers: a job of n cores takes n slots while it runs.

A slot is a locked file, so the kernel gives it back whatever becomes of the worker. Each worker brings one slot.
Workers that are dedicated to a group share theirs among themselves alone, and so do all the others: a file beside
the slot names the group.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.05


class Slots:
    """`number` slots as files in a directory that all workers of the host use; `own` is the one that this one brings,
    counted from 1."""

    def __init__(self, directory: Path, number: int, *, own: int = 1) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._own, self._group = directory, own, ""
        # Whoever needs several slots collects them behind this lock: two that each hold half would wait for ever.
        self._queue = directory / "collecting"
        self.number = number

    def join(self, group: str) -> None:
        """Share the own slot with those of this group alone; "" is everybody who is in none."""
        self._group = group
        # In one step: others may be reading it.
        draft = self._directory / f"group-{self._own}.new"
        draft.write_text(group)
        draft.replace(self._group_path(self._own))

    def owns(self) -> bool:
        """Whether the own slot is free of those who took it before it was the group's."""
        with contextlib.ExitStack() as stack:
            return _lock(stack, self._path(self._own))

    def shared(self) -> list[int]:
        """The slots of the group, the own one first: then workers of one core never meet."""
        others = [n for n in range(1, self.number + 1) if n != self._own and self._group_of(n) == self._group]
        return [self._own, *others]

    def _path(self, slot: int) -> Path:
        return self._directory / f"slot-{slot}"

    def _group_path(self, slot: int) -> Path:
        return self._directory / f"group-{slot}"

    def _group_of(self, slot: int) -> str:
        try:
            return self._group_path(slot).read_text()
        except FileNotFoundError:
            return ""

    @contextlib.contextmanager
    def take(self, cores: int, *, timeout: float) -> Iterator[bool]:
        """Hold `cores` slots; yields False when they were not free within `timeout` seconds."""
        with contextlib.ExitStack() as stack:
            yield self._take_own(stack, cores) or self._collect(stack, cores, time.monotonic() + timeout)

    def _take_own(self, stack: contextlib.ExitStack, cores: int) -> bool:
        """The usual case, in one step."""
        return cores == 1 and _lock(stack, self._path(self._own))

    def _collect(self, stack: contextlib.ExitStack, cores: int, deadline: float) -> bool:
        if cores > len(self.shared()):
            return False
        with contextlib.ExitStack() as queue:
            while not _lock(queue, self._queue):
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_SECONDS)
            held: set[Path] = set()
            while not self._take_free(stack, held, cores):
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_SECONDS)
            return True

    def _take_free(self, stack: contextlib.ExitStack, held: set[Path], cores: int) -> bool:
        """Lock what is free until `cores` are held; answers whether they are."""
        for path in map(self._path, self.shared()):
            if len(held) < cores and path not in held and _lock(stack, path):
                held.add(path)
        return len(held) == cores


def _lock(stack: contextlib.ExitStack, path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    stack.callback(os.close, descriptor)
    return True
