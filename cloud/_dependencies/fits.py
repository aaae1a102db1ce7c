"""Whether what is compiled runs in an environment: its platform, its Python, its C library."""

import os
import platform
import re
import sys
from functools import lru_cache
from typing import NamedTuple

from cloud._dependencies.units import Unit

_OLD_NAMES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class Environment(NamedTuple):
    """What the service tells of an environment."""

    name: str
    python: str
    platform: dict[str, str]
    packages: dict[str, str]

    @property
    def glibc(self) -> tuple[int, int]:
        """Version of its C library; (0, 0) when it has another one."""
        if self.platform.get("libc") != "glibc":
            return 0, 0
        major, _, minor = self.platform.get("libc_version", "0.0").partition(".")
        return int(major), int(minor.partition(".")[0])

    @property
    def system(self) -> str:
        """Such as linux_x86_64."""
        return f"{self.platform.get('system')}_{self.platform.get('machine')}"


def why_not(unit: Unit, environment: Environment) -> str:
    """Why a unit with compiled modules cannot run in the environment; nothing when it can, or has none."""
    tags = unit.distribution.tags if unit.kind == "distribution" and unit.distribution is not None else []
    systems = [system for tag in tags for system in tag.rpartition("-")[2].split(".")]
    if "any" in systems or (not systems and not unit.extensions()):
        return ""
    if environment.python != _PYTHON:
        return f"it is compiled for Python {_PYTHON}, and the environment has {environment.python}"
    if systems and not any(map(_is_of_this_machine, systems)):
        reasons = [_why_not_wheel(system, environment) for system in systems]
        return "" if "" in reasons else reasons[0]
    return _why_not_here(unit, environment)


def _is_of_this_machine(system: str) -> bool:
    """Compiled on the machine itself, with no word about which C library that needs."""
    return system.startswith("linux_")


def _why_not_wheel(system: str, environment: Environment) -> str:
    name, _, machine = system.partition("_")
    needed = _OLD_NAMES.get(name)
    if found := _MANYLINUX.fullmatch(system):
        needed, machine = (int(found[1]), int(found[2])), found[3]
    if needed is None or f"linux_{machine}" != environment.system:
        return f"it is compiled for {system}, and the environment is {environment.system}"
    if needed > environment.glibc:
        return _older(needed, environment)
    return ""


def _why_not_here(unit: Unit, environment: Environment) -> str:
    here = f"{sys.platform}_{platform.machine()}"
    if here != environment.system:
        return f"it is compiled for {here}, and the environment is {environment.system}"
    needed = max((_glibc_of(path, os.stat(path).st_mtime_ns) for path in unit.extensions()), default=(0, 0))
    return _older(needed, environment) if needed > environment.glibc else ""


def _older(needed: tuple[int, int], environment: Environment) -> str:
    has = "none" if environment.glibc == (0, 0) else ".".join(map(str, environment.glibc))
    return f"it needs glibc {needed[0]}.{needed[1]}, and the environment has {has}"


@lru_cache(maxsize=1000)
def _glibc_of(path: str, _changed: int) -> tuple[int, int]:
    """The newest glibc that a library asks for; the names of the versions stand in it as text."""
    with open(path, "rb") as file:
        return max(((int(major), int(minor)) for major, minor in _GLIBC.findall(file.read())), default=(0, 0))
