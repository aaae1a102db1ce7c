"""What an environment's Python has: asked of that very Python, in a container of its image or on this host."""

import json
import subprocess
import sys
from typing import Any, NamedTuple

from django.conf import settings

from common.exceptions import Refused
from environments.engine import ulimits

SECONDS = 60
MARK = "picloud-inventory:"
# Runs in the environment, with nothing but the standard library. Names are compared as PEP 503 writes them.
SCRIPT = f"""
import importlib.metadata, json, platform, re, sys
packages = {{}}
for found in importlib.metadata.distributions():
    name = found.metadata["Name"]
    if name:
        packages.setdefault(re.sub("[-_.]+", "-", name).lower(), found.version)
library, version = platform.libc_ver()
place = {{"system": sys.platform, "machine": platform.machine(), "libc": library, "libc_version": version}}
print({MARK!r} + json.dumps({{"packages": dict(sorted(packages.items())), "platform": place}}))
"""


class NotInspected(Refused):
    """The environment's Python did not tell what it has."""

    status = 500

    def __init__(self, problem: str) -> None:
        super().__init__("not_inspected", f"The environment's Python did not say which packages it has: {problem}")


class Inventory(NamedTuple):
    """What there is, for a client that asks what it need not send."""

    packages: dict[str, str]
    platform: dict[str, str]


def inspect_image(client: Any, image: str) -> Inventory:
    """What the Python of an image has, asked in a container without rights and network."""
    from docker.errors import APIError  # noqa: PLC0415

    walls = client.create_host_config(
        runtime=settings.CONTAINER_RUNTIME, network_mode="none", cap_drop=["ALL"], read_only=True, ulimits=ulimits()
    )
    try:
        container = client.create_container(image=image, command=["python3", "-c", SCRIPT], host_config=walls)["Id"]
        try:
            client.start(container)
            client.wait(container, timeout=SECONDS)
            return _parse(client.logs(container, stdout=True, stderr=True).decode(errors="replace"))
        finally:
            client.remove_container(container, force=True, v=True)
    except APIError as error:
        raise NotInspected(str(error.explanation)) from error


def inspect_this_python() -> Inventory:
    """What the Python that this server runs under has, as a job without isolation sees it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd="/", env={}, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return _parse(done.stdout + done.stderr)


def _parse(output: str) -> Inventory:
    line = next((line for line in output.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise NotInspected(output.strip()[-500:] or "it said nothing.")
    return Inventory(**json.loads(line.removeprefix(MARK)))
