"""The cores of this host, shared between its workers: a job of n cores takes n slots while it runs.

A slot is a locked file, so the kernel gives it back whatever becomes of the worker.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.05


class Slots:
    """`number` slots as files in a directory that all workers of the host use."""

    def __init__(self, directory: Path, number: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._paths = [directory / f"slot-{index}" for index in range(number)]
        # Whoever needs several slots collects them behind this lock: two that each hold half would wait for ever.
        self._queue = directory / "collecting"
        self.number = number

    @contextlib.contextmanager
    def take(self, cores: int, *, timeout: float) -> Iterator[bool]:
        """Hold `cores` slots; yields False when they were not free within `timeout` seconds."""
        with contextlib.ExitStack() as stack:
            yield cores <= self.number and self._collect(stack, cores, time.monotonic() + timeout)

    def _collect(self, stack: contextlib.ExitStack, cores: int, deadline: float) -> bool:
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
        for path in self._paths:
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
