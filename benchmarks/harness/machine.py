"""What the figures were measured on."""

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OURS = ("django", "uvicorn", "redis", "rq", "cloudpickle")
RIVALS = ("celery", "rq", "dask", "distributed", "redis", "hiredis")


def describe(rivals_python: Path | None) -> dict[str, str]:
    """Names and texts for the head of a report."""
    system = os.uname()
    facts = {
        "processor": f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "system": f"{_first('/etc/os-release', 'PRETTY_NAME')}, kernel {system.release}",
        "python": platform.python_version(),
        "picloud": _revision(),
        "ours": _versions(OURS),
        "load": f"{os.getloadavg()[0]:.2f} when it began",
    }
    if rivals_python:
        asked = f"from importlib.metadata import version; print(*(f'{{n}} {{version(n)}}' for n in {RIVALS}), sep=', ')"
        facts["rivals"] = _output([str(rivals_python), "-c", asked])
    facts["containers"] = ", ".join(filter(None, [_output(["podman", "--version"]), _output(["runc", "--version"])]))
    return facts


def _first(path: str, name: str) -> str:
    found = re.search(rf"^{name}\s*[:=]\s*(.*)$", Path(path).read_text(), re.MULTILINE)
    return found[1].strip('"') if found else "?"


def _versions(names: tuple[str, ...]) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} is not installed")
    return ", ".join(found)


def _output(command: list[str]) -> str:
    """The first line that a program prints, or nothing when it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip()


def _revision() -> str:
    revision = _output(["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"])
    return f"revision {revision}, Python {sys.version.split()[0]}"
