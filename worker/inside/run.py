"""What both sides of the fork know: the run, and the ways out of the child."""

import contextlib
import fcntl
import os
import struct
from typing import NamedTuple

from worker.inside.frames import BadFrame, Header

# One report of the child: magic, index, kind, sizes of result and error text; run, user and system time in
# microseconds, peak memory in bytes.
REPORT = struct.Struct("<IIIIIQQQQ")
MAGIC = 0x50694C64
KINDS = ("", "exception", "bad_result", "exited", "out_of_disk")
OK, EXCEPTION, BAD_RESULT, EXITED, OUT_OF_DISK = range(5)
RAISED = (EXCEPTION, OUT_OF_DISK)
# What the child shows of itself in shared memory: the item it is on, and since when (ns; 0: not begun).
STATE = struct.Struct("<qQ")
SKIP = 64  # where the bytes begin that tell the child which items to leave out
MAX_ITEMS = 65_000

STREAMS = ("stdout", "stderr", "logging")
ERROR_LIMIT = 64_000  # characters of a traceback
HIGH_FD = 900  # out of the way of jobs that close "all" descriptors


class Item(NamedTuple):
    job: int
    jid: int
    arguments: memoryview


class Run:
    """One function and the items it is to be called with, as the worker sent them."""

    def __init__(self, header: Header, payload: bytes) -> None:
        self.header, self.payload = header, payload
        self.number: int = header["run"]
        self.fork_each: bool = header.get("fork_each", False)
        self.env: dict[str, str] = header.get("env") or {}
        self.token: str = header.get("token") or ""
        self.term_grace: float = header.get("term_grace", 2.0)
        self.result_limit: int = header["result_limit"]
        self.cwd: str = header.get("cwd") or ""
        self.environment: str = header.get("environment") or ""
        # Path and name of each archive of modules that was sent along.
        self.modules: list[tuple[str, str]] = header.get("modules") or []
        view = memoryview(payload)
        self.function = view[: header["function"]]
        self.items: list[Item] = []
        offset = header["function"]
        for job, jid, size in header["items"]:
            self.items.append(Item(job, jid, view[offset : offset + size]))
            offset += size
        if offset != len(payload) or len(self.items) > MAX_ITEMS:
            raise BadFrame(f"run {self.number} does not hold what its header says")
        self.stopped: set[int] = set()

    def indexes_of(self, jobs: set[int]) -> list[int]:
        return [index for index, item in enumerate(self.items) if item.job in jobs]


class Pipes:
    """The ways out of a child: three streams of text and its reports."""

    def __init__(self) -> None:
        pairs = [os.pipe2(os.O_CLOEXEC) for _ in range(4)]
        self.readers = [reader for reader, _ in pairs]
        self.writers = [writer for _, writer in pairs]
        with contextlib.suppress(OSError):
            # Room for many results while the parent gathers them; beyond the user's share it stays at 64 KiB.
            fcntl.fcntl(self.writers[3], fcntl.F_SETPIPE_SZ, 1 << 20)
        for reader in self.readers:
            os.set_blocking(reader, False)

    def close_writers(self) -> None:
        for writer in self.writers:
            os.close(writer)

    def close_all(self) -> None:
        self.close_writers()
        for reader in self.readers:
            os.close(reader)

    def keep_writers(self) -> None:
        """In the child: only the writing ends, and far up."""
        high = [fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, HIGH_FD) for writer in self.writers]
        self.close_all()
        self.writers = high
