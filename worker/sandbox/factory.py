"""Chooses the kind of sandbox by settings.SANDBOX, and does what concerns all of them."""

import contextlib
import time
from pathlib import Path

from django.conf import settings

from environments.engine import NoEngine, engine
from environments.selectors import environment_for
from worker.sandbox.base import Limits, Sandbox, SandboxFailed, SandboxKey
from worker.sandbox.container import LABEL_HOME, LABEL_SLOT, ContainerSandbox, container_prefix, remove
from worker.sandbox.network import networks_of, why_no_network
from worker.sandbox.orphans import orphans_named
from worker.sandbox.process import ProcessSandbox
from worker.sandbox.scratch import remove_tree, scratch_root

PROBE_LIMITS = Limits(memory=200_000_000, cpu_shares=1024, processes=64, disk=100_000_000)


KINDS: dict[str, type[Sandbox]] = {"container": ContainerSandbox, "process": ProcessSandbox}


def new_sandbox(*, slot: int, key: SandboxKey, image: str, limits: Limits, kind: str = "") -> Sandbox:
    """A sandbox that has yet to be started, of the kind that the settings name."""
    return KINDS[kind or settings.SANDBOX](slot=slot, key=key, image=image, limits=limits)


def network_mode() -> str:
    """What jobs reach over the network here, and why, in a sentence."""
    if settings.SANDBOX == "process":
        return "everything that this machine reaches, because jobs run without isolation"
    if reason := why_no_network():
        return f"nothing, because {reason}"
    return "the internet, without this host, other sandboxes and private networks"


def probe() -> dict[str, str]:
    """Start a sandbox of the base environment and stop it again; returns facts, raises SandboxFailed or NoEngine."""
    environment = environment_for()
    key = SandboxKey(None, environment.digest, "", 1)
    begun = time.monotonic()
    with new_sandbox(slot=-1, key=key, image=environment.image, limits=PROBE_LIMITS) as sandbox:
        facts = {
            "sandbox": settings.SANDBOX,
            "python": sandbox.python,
            "start_ms": f"{(time.monotonic() - begun) * 1000:.0f}",
        }
    return facts | _engine_facts() | {"network": network_mode()}


def _engine_facts() -> dict[str, str]:
    if settings.SANDBOX != "container":
        return {}
    with engine() as client:
        version = client.version()
    return {"engine": f"{version['Components'][0]['Name']} {version['Version']}", "runtime": settings.CONTAINER_RUNTIME}


def remove_leftovers(home: str | Path, slot: int | None = None) -> int:
    """Remove what killed workers of a stack left, of one slot or of all; returns how many things that were."""
    removed = 0
    if settings.SANDBOX == "container":
        with contextlib.suppress(NoEngine), engine() as client:
            labels = [f"{LABEL_HOME}={home}", *([f"{LABEL_SLOT}={slot}"] if slot is not None else [])]
            for container in client.containers(all=True, filters={"label": labels}):
                remove(client, container["Id"])
                removed += 1
        for orphan in orphans_named(container_prefix(slot)):
            orphan.remove()
            removed += 1
        for network in networks_of(home):
            if slot in (None, network.slot):
                network.remove()
                removed += 1
    for path in scratch_root().glob("*" if slot is None else f"{slot}-*"):
        remove_tree(path)
        removed += 1
    return removed


__all__ = ["SandboxFailed", "network_mode", "new_sandbox", "probe", "remove_leftovers"]
