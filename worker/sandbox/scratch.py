"""The host's side of a sandbox's disk: home, /tmp, modules, and the directory of its socket."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

INSIDE_UID = 1000
# A walk over many files must not cost more than this share of the time.
WALK_SHARE = 0.1
INODE_BYTES = 512  # what a file costs at least, so that a million empty ones count too


def scratch_root() -> Path:
    return Path(settings.PICLOUD_HOME) / "scratch"


class Scratch:
    """Directories of one sandbox, and how full they are."""

    def __init__(self, name: str) -> None:
        self.root = scratch_root() / name
        self.home, self.tmp, self.link = self.root / "home", self.root / "tmp", self.root / "link"
        self.modules, self.inbox = self.root / "modules", self.root / "inbox"
        self._measured = 0
        self._next_walk = 0.0

    def create(self) -> None:
        # Of what is below only the stack's own user sees anything.
        scratch_root().mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (self.home, self.tmp, self.link, self.modules, self.inbox):
            path.mkdir(parents=True, mode=0o755)
        for path in self._writable():
            if os.geteuid() == 0:
                os.chown(path, INSIDE_UID, INSIDE_UID)
            else:
                # Without root the user inside is one of those that the engine may hand out, not ours to name.
                path.chmod(0o777)

    def _writable(self) -> tuple[Path, ...]:
        """What jobs can fill."""
        return self.home, self.tmp, self.inbox

    def used(self, pids: Iterable[int] = ()) -> int:
        """Bytes in use, also by files without a name that `pids` hold open; a little old when a walk takes long."""
        now = time.monotonic()
        if now >= self._next_walk:
            self._measured = sum(map(bytes_under, self._writable())) + self._bytes_without_name(pids)
            self._next_walk = now + (time.monotonic() - now) / WALK_SHARE
        return self._measured

    def _bytes_without_name(self, pids: Iterable[int]) -> int:
        device = self.root.stat().st_dev
        sizes: dict[int, int] = {}
        for pid in pids:
            for status in open_files(pid):
                if status.st_nlink == 0 and status.st_dev == device:
                    sizes[status.st_ino] = status.st_blocks * 512
        return sum(sizes.values())

    def remove(self) -> None:
        remove_tree(self.root)


def remove_tree(path: Path) -> None:
    """Remove scratch space, also what belongs to users that only the engine can become."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists() and os.geteuid() != 0 and shutil.which("podman"):
        subprocess.run(["podman", "unshare", "rm", "-rf", str(path)], capture_output=True, check=False)


def open_files(pid: int) -> list[os.stat_result]:
    """Status of each file that a process has open; nothing when it is gone or not ours to look into."""
    found = []
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    for name in names:
        try:
            found.append(os.stat(f"{directory}/{name}"))
        except OSError:
            continue
    return found


def bytes_under(path: Path) -> int:
    """Disk space below a directory, without following links."""
    total = 0
    stack = [os.fspath(path)]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            total += max(status.st_blocks * 512, INODE_BYTES)
            if entry.is_dir(follow_symlinks=False):
                stack.append(entry.path)
    return total
