"""The modules of a job, brought into its sandbox before it runs."""

import select
import time
from collections.abc import Callable, Sequence

from jobs.services.modules import Archive, ArchiveGone, archive_chunks
from worker.sandbox import Sandbox, SandboxLost
from worker.sandbox.shelf import MOST_BYTES

MOST_ARCHIVE_BYTES = 2_000_000_000  # of one archive, unpacked
MOST_ARCHIVE_FILES = 100_000
UNPACK_SECONDS = 300.0
TICK_SECONDS = 1.0


class ModulesFailed(Exception):
    """The modules cannot be had in the sandbox. The message is a sentence that names the archive."""


def bring_modules(sandbox: Sandbox, archives: Sequence[Archive], *, on_tick: Callable[[], None]) -> list[list[str]]:
    """Path and name of each archive as the job will see them, unpacked now unless an earlier run needed it.

    Raises ModulesFailed, and SandboxLost.
    """
    needed = {archive.digest for archive in archives}
    for archive in archives:
        if archive.digest not in sandbox.shelf:
            _bring(sandbox, archive, on_tick=on_tick)
            if not sandbox.shelf.make_room(needed):
                raise ModulesFailed(f"The modules take over {MOST_BYTES:,} bytes unpacked: {archive.name} is too much.")
    return [[f"{sandbox.modules_inside}/{archive.digest}", archive.name] for archive in archives]


def _bring(sandbox: Sandbox, archive: Archive, *, on_tick: Callable[[], None]) -> None:
    try:
        sandbox.shelf.put_archive(archive.digest, archive_chunks(archive))
        problem = _unpack(sandbox, archive.digest, on_tick=on_tick)
    except ArchiveGone as gone:
        raise ModulesFailed(f"The archive {archive.name} is gone from the server: submit the function again.") from gone
    except OSError as error:
        raise ModulesFailed(f"The archive {archive.name} could not be stored by the worker: {error}.") from error
    finally:
        sandbox.shelf.remove_archive(archive.digest)
    if problem:
        raise ModulesFailed(f"The archive {archive.name} {problem}.")
    sandbox.shelf.take(archive.digest)


def _unpack(sandbox: Sandbox, digest: str, *, on_tick: Callable[[], None]) -> str:
    """What the process inside says is wrong with the archive; nothing when it is unpacked."""
    sandbox.send({"op": "unpack", "digest": digest, "most_bytes": MOST_ARCHIVE_BYTES, "most_files": MOST_ARCHIVE_FILES})
    deadline = time.monotonic() + UNPACK_SECONDS
    while time.monotonic() < deadline:
        if select.select([sandbox], [], [], TICK_SECONDS)[0]:
            for header, _ in sandbox.receive():
                if header["op"] == "unpacked":
                    return str(header.get("error", ""))[:1000]
        else:
            on_tick()
    raise SandboxLost(f"it did not unpack modules within {UNPACK_SECONDS:.0f} seconds")
