"""A sandbox in a container of its own: no rights, no host, a read-only root and measured scratch space."""

import functools
import hashlib
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from environments.engine import NoEngine, engine, runtime_in_use, ulimits
from worker.inside.boot import START_ERROR
from worker.sandbox.base import Sandbox, SandboxFailed
from worker.sandbox.code import code_directory
from worker.sandbox.link import NAME
from worker.sandbox.meter import Cgroup, Meter, Processes
from worker.sandbox.network import NetworkFailed, SlotNetwork, resolv_conf, slot_network
from worker.sandbox.scratch import INSIDE_UID
from worker.sandbox.seccomp import NoProfile, security_options

logger = logging.getLogger(__name__)

HOME = "/home/picloud"
CODE_INSIDE = "/opt/picloud"
MODULES_INSIDE, INBOX_INSIDE = "/opt/picloud-modules", "/opt/picloud-inbox"
ENVIRONMENT = {
    "PATH": f"{HOME}/.local/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": HOME,
    "USER": "picloud",
    "LANG": "C.UTF-8",
    "PYTHONPATH": f"{CODE_INSIDE}/lib",
    "PICLOUD_URL": "http+unix:///run/picloud/api.sock",
    "PICLOUD_RUNNING_ON_CLOUD": "1",
}
REMOVE_SECONDS = 10
OWN_PROCESSES = 8  # of the runner and the runtime
LABEL_HOME, LABEL_SLOT = "picloud.home", "picloud.slot"


class ContainerSandbox(Sandbox):
    """One container, one runner as its PID 1."""

    _command = ("python3", "-B", f"{CODE_INSIDE}/runner/worker/inside/boot.py")
    _container = ""
    _network: SlotNetwork | None = None
    modules_inside = MODULES_INSIDE

    def _launch(self) -> None:
        from docker.errors import APIError  # noqa: PLC0415

        check_runtime()
        try:
            self._network = slot_network(self.slot)
        except NetworkFailed as error:
            raise SandboxFailed(f"The sandbox's network could not be set up: {error}.") from error
        with engine() as client:
            try:
                self._container = client.create_container(**self._description(client))["Id"]
                client.start(self._container)
            except NoProfile as error:
                raise SandboxFailed(str(error)) from error
            except APIError as error:
                raise SandboxFailed(f"The container engine did not start a sandbox: {error.explanation}") from error

    def _description(self, client: Any) -> dict[str, Any]:
        options = {
            "socket": f"/run/picloud-worker/{NAME}",
            "home": HOME,
            "scratch": ["/tmp", "/dev/shm", "/dev/mqueue"],
            "modules": MODULES_INSIDE,
            "inbox": INBOX_INSIDE,
            "isolated": True,
            "file_limit": self.limits.disk,
        }
        return {
            "image": self.image,
            "name": f"{container_prefix()}{self.name}",
            "command": [*self._command, json.dumps(options)],
            "user": f"{INSIDE_UID}:{INSIDE_UID}",
            "hostname": "picloud",
            "working_dir": HOME,
            "environment": ENVIRONMENT,
            "labels": {LABEL_HOME: str(settings.PICLOUD_HOME), LABEL_SLOT: str(self.slot)},
            "host_config": client.create_host_config(**self._limits(), **self._walls()),
        }

    def _limits(self) -> dict[str, Any]:
        limits = self.limits
        return {
            "mem_limit": limits.memory,
            "memswap_limit": limits.memory,
            "cpu_shares": limits.cpu_shares,
            "pids_limit": limits.processes + OWN_PROCESSES,
            "shm_size": limits.memory,  # counts as memory anyway
            "ulimits": ulimits(),
        }

    def _walls(self) -> dict[str, Any]:
        return {
            "runtime": settings.CONTAINER_RUNTIME,
            "cap_drop": ["ALL"],
            "security_opt": security_options(),
            "read_only": True,
            "binds": self._binds(),
            "network_mode": f"ns:{self._network.path}" if self._network else "none",
            "auto_remove": True,
            "log_config": {"Type": "none"},
        }

    def _binds(self) -> list[str]:
        api = Path(settings.API_SOCKET).parent
        api.mkdir(parents=True, exist_ok=True)
        scratch = self._scratch
        binds = [
            f"{code_directory()}:{CODE_INSIDE}:ro",
            f"{api}:/run/picloud:ro",
            f"{scratch.link}:/run/picloud-worker:ro",
            f"{scratch.home}:{HOME}:rw",
            f"{scratch.tmp}:/tmp:rw",
            f"{scratch.tmp}:/var/tmp:rw",
            f"{scratch.modules}:{MODULES_INSIDE}:ro",
            f"{scratch.inbox}:{INBOX_INSIDE}:rw",
        ]
        if self._network:
            (scratch.root / "resolv.conf").write_text(resolv_conf())
            binds.append(f"{scratch.root}/resolv.conf:/etc/resolv.conf:ro")
        return binds

    def _why_dead(self) -> str:
        from docker.errors import NotFound  # noqa: PLC0415

        with engine() as client:
            try:
                if client.inspect_container(self._container)["State"]["Running"]:
                    return ""
            except NotFound:
                pass
        path = self._scratch.home / START_ERROR
        return path.read_text()[-2000:] if path.exists() else "its container ended at once"

    def _make_meter(self, pid: int) -> Meter:
        group = Cgroup.of(pid)
        if group is not None and group.memory_limit() <= self.limits.memory:
            return group
        warn_unlimited()
        return group or Processes(pid)

    def close(self) -> None:
        container, self._container = self._container, ""
        # With it everything in its namespace of processes.
        ended = self._link.kill_peer()
        self._link.close()
        if ended:
            # Nothing of it runs any more. Removing it takes the engine 0.1 s, which the next account need not wait for.
            threading.Thread(target=self._remove, args=(container,), name=f"remove {self.name}").start()
        else:
            self._remove(container)

    def _remove(self, container: str) -> None:
        from docker.errors import APIError  # noqa: PLC0415

        try:
            if container:
                with engine() as client:
                    remove(client, container)
        except (NoEngine, APIError) as error:
            logger.warning("a container was not removed, which the next start of this worker will do: %s", error)
        self._scratch.remove()


def check_runtime() -> None:
    wanted, found = settings.CONTAINER_RUNTIME, runtime_in_use()
    if wanted != found:
        raise SandboxFailed(
            f"The container engine runs containers with {found}, not with {wanted}: start it as "
            f"`podman --runtime={wanted} system service`, or set PICLOUD_CONTAINER_RUNTIME={found}."
        )


@functools.cache
def warn_unlimited() -> None:
    """Once in the log of a worker."""
    logger.warning(
        "The container engine does not limit memory and processes of jobs here. Without root it can do so only "
        "with version 2 of control groups; otherwise run as root."
    )


def remove(client: Any, container: str) -> None:
    """Kill and remove a container, however far it has got with removing itself."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415

    deadline = time.monotonic() + REMOVE_SECONDS
    while True:
        try:
            client.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def container_prefix(slot: int | None = None) -> str:
    """How the names of this stack's containers begin, or of those of one slot."""
    return f"picloud-{home_hash()}-" + ("" if slot is None else f"{slot}-")


def home_hash() -> str:
    """Eight characters that stand for this stack's PICLOUD_HOME in names that all stacks of a machine share."""
    return hashlib.sha256(str(settings.PICLOUD_HOME).encode()).hexdigest()[:8]
