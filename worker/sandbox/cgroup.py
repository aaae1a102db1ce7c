"""Reads what the kernel counts for a container, from the host's side, for version 1 and 2 of control groups."""

from pathlib import Path

from worker.sandbox.link import SandboxLost

ROOT = Path("/sys/fs/cgroup")


class Cgroup:
    """The control group of one process and everything beside it."""

    def __init__(self, pid: int) -> None:
        lines = [line.split(":", 2) for line in _read(Path(f"/proc/{pid}/cgroup")).splitlines()]
        paths = {name: path.lstrip("/") for _, names, path in lines for name in names.split(",")}
        self._version_2 = "memory" not in paths
        if self._version_2:
            self._memory = self._cpu = ROOT / paths[""]
        else:
            self._memory = ROOT / "memory" / paths["memory"]
            self._cpu = ROOT / "cpuacct" / paths["cpuacct"]

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
        if self._version_2:
            text = _read(self._memory / "memory.max").strip()
            return 0 if text == "max" else int(text)
        return int(_read(self._memory / "memory.limit_in_bytes"))

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
