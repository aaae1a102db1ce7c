"""The host's side of the modules in a sandbox: jobs see them through a mount that is for reading alone.

An archive is never opened on this side. It is put on the shelf as it is; a process inside unpacks it into the
inbox; and then its directory is moved from there to the shelf, when no job runs that could take part in that.
"""

import os
import stat
from collections.abc import Iterable

from worker.sandbox.link import SandboxLost
from worker.sandbox.scratch import Scratch, bytes_under, remove_tree

MOST_BYTES = 4_000_000_000  # of all that is unpacked in one sandbox


class Shelf:
    """The unpacked archives of one sandbox, by their digests."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._sizes: dict[str, int] = {}

    def __contains__(self, digest: str) -> bool:
        return digest in self._sizes

    def put_archive(self, digest: str, chunks: Iterable[bytes]) -> str:
        """Lay the archive where it can be unpacked from; answers its name there."""
        name = f"{digest}.zip"
        descriptor = os.open(self._scratch.modules / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        return name

    def remove_archive(self, digest: str) -> None:
        """Its bytes are needed no longer, whatever came of it."""
        (self._scratch.modules / f"{digest}.zip").unlink(missing_ok=True)

    def take(self, digest: str) -> None:
        """Move what was unpacked to the shelf. Raises SandboxLost when it is no directory: somebody inside cheats."""
        target = self._scratch.modules / digest
        try:
            (self._scratch.inbox / digest).rename(target)
            is_directory = stat.S_ISDIR(target.lstat().st_mode)
        except OSError as error:
            raise SandboxLost(f"unpacked modules could not be moved to their place ({error})") from error
        if not is_directory:
            raise SandboxLost("its runner unpacked modules into something that is no directory")
        self._sizes[digest] = bytes_under(target)

    def make_room(self, keep: set[str]) -> bool:
        """Remove what this run does not need if all together is too much; whether there is room now."""
        if sum(self._sizes.values()) > MOST_BYTES:
            for digest in [digest for digest in self._sizes if digest not in keep]:
                del self._sizes[digest]
                remove_tree(self._scratch.modules / digest)
        return sum(self._sizes.values()) <= MOST_BYTES
