"""Containers that Podman has forgotten: their monitors, by which they still run.

An engine that is killed between making a container and starting it leaves one half made. Podman removes its
record of such a container and ends nothing.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MONITOR = "conmon"


class Orphan(NamedTuple):
    """One container, as the command line of its monitor describes it."""

    monitor: int  # process id
    runtime: str
    container: str

    def remove(self) -> None:
        """End what is in it, and its monitor. Safe when both are gone meanwhile."""
        subprocess.run([self.runtime, "delete", "--force", self.container], capture_output=True, check=False)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.monitor, signal.SIGKILL)


def orphans_named(prefix: str) -> Iterator[Orphan]:
    """Those that still run of the containers whose names begin so. Call it when Podman should have none of them."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name == MONITOR and _option(words, "-n").startswith(prefix):
            yield Orphan(int(entry.name), _option(words, "-r"), _option(words, "-c"))


def _option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words[:-1] else ""
