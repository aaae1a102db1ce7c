"""Meters of a sandbox, read from the host's side: what the kernel counts for its control group or its processes."""

import os
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from worker.sandbox.link import SandboxLost

ROOT = Path("/sys/fs/cgroup")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter(ABC):
    """What a sandbox has used and uses. Raises SandboxLost when there is nothing left to count."""

    @abstractmethod
    def cpu_ns(self) -> int: ...

    @abstractmethod
    def memory(self) -> int: ...

    @abstractmethod
    def oom_kills(self) -> int: ...

    @abstractmethod
    def pids(self) -> list[int]: ...


class Cgroup(Meter):
    """The control group of one process and everything beside it."""

    def __init__(self, paths: dict[str, str]) -> None:
        self._version_2 = "memory" not in paths
        if self._version_2:
            self._memory = self._cpu = ROOT / paths[""]
        else:
            self._memory = ROOT / "memory" / paths["memory"]
            self._cpu = ROOT / "cpuacct" / paths["cpuacct"]

    @classmethod
    def of(cls, pid: int) -> "Cgroup | None":
        """The group of that process, if it has one that is not shared with the rest of the machine."""
        paths = _paths(pid)
        names = ("memory", "cpuacct") if "memory" in paths else ("",)
        if any(not paths[name] or paths[name] == _paths(os.getpid())[name] for name in names):
            return None
        return cls(paths)

    def cpu_ns(self) -> int:
        if self._version_2:
            return _figures(self._cpu / "cpu.stat")["usage_usec"] * 1000
        return int(_read(self._cpu / "cpuacct.usage"))

    def memory(self) -> int:
        """Bytes, without the part of the page cache that is dropped first when memory runs short."""
        stat = _figures(self._memory / "memory.stat")
        if self._version_2:
            return max(0, int(_read(self._memory / "memory.current")) - stat["inactive_file"])
        return max(0, int(_read(self._memory / "memory.usage_in_bytes")) - stat["total_inactive_file"])

    def memory_limit(self) -> int:
        """Bytes; engines set it on this group or on one above."""
        if not self._version_2:
            return int(_read(self._memory / "memory.limit_in_bytes"))
        above = [path for path in (self._memory, *self._memory.parents) if path.is_relative_to(ROOT) and path != ROOT]
        texts = [_read(path / "memory.max").strip() for path in above]
        return min(sys.maxsize if text == "max" else int(text) for text in texts)

    def oom_kills(self) -> int:
        name = "memory.events" if self._version_2 else "memory.oom_control"
        return _figures(self._memory / name)["oom_kill"]

    def pids(self) -> list[int]:
        return [int(pid) for pid in _read(self._memory / "cgroup.procs").split()]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SandboxLost("its container is gone") from error


def _figures(path: Path) -> dict[str, int]:
    """A file of lines such as `name 123`."""
    return {name: int(value) for name, _, value in (line.partition(" ") for line in _read(path).splitlines())}


def _paths(pid: int) -> dict[str, str]:
    """The control group of a process under each controller; the one without a name is version 2's."""
    lines = [line.split(":", 2) for line in _read(Path(f"/proc/{pid}/cgroup")).splitlines()]
    return {name: path.strip("/") for _, names, path in lines for name in names.split(",")}


class Processes(Meter):
    """A process and its descendants, counted one by one, where no control group is their own."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._cpu = 0

    def cpu_ns(self) -> int:
        total = sum(cpu for cpu, _ in self._figures())
        # Of processes that nobody waited for the time is lost; at least it never runs backwards.
        self._cpu = max(self._cpu, total)
        return self._cpu

    def memory(self) -> int:
        return sum(memory for _, memory in self._figures())

    def oom_kills(self) -> int:
        return 0

    def pids(self) -> list[int]:
        return family(self._root)

    def _figures(self) -> list[tuple[int, int]]:
        found = [figures for pid in self.pids() if (figures := _figures_of(pid))]
        if not found:
            raise SandboxLost("its processes are gone")
        return found


def family(root: int) -> list[int]:
    """A process and all its descendants, as of now."""
    found, position = [root], 0
    while position < len(found):
        pid = found[position]
        position += 1
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            for thread in threads:
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def _figures_of(pid: int) -> tuple[int, int] | None:
    """CPU time in ns, including that of children it waited for, and resident bytes."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = sum(map(int, fields[11:15]))
    return ticks * 1_000_000_000 // CLOCK_TICKS, int(fields[21]) * PAGE
