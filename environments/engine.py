"""The container engine of this host: Docker's API, which Podman speaks as well."""

import contextlib
import functools
import resource
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from common.exceptions import Refused

INSTALL = (
    "Install one (on Debian and Ubuntu: apt install podman runc) and start it with `make up`, "
    "or set PICLOUD_SANDBOX=process to run jobs without isolation, for one trusted user."
)

# Podman's own defaults are above what a machine may allow, and then no container starts.
NOFILE, NPROC = 8192, 16_384


class NoEngine(Refused):
    """No container engine answers at settings.CONTAINER_ENGINE_URL. The message says what to do."""

    status = 503

    def __init__(self, message: str) -> None:
        super().__init__("no_engine", message)


@contextlib.contextmanager
def engine(*, timeout: float = 60) -> Iterator[Any]:
    """A low-level client of the engine; raises NoEngine when none answers."""
    # 20 MB and 0.2 s that an installation without containers need not spend.
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415
    from requests.exceptions import ConnectionError as NoConnection  # noqa: PLC0415

    try:
        client = docker.APIClient(base_url=settings.CONTAINER_ENGINE_URL, version="1.41", timeout=timeout)
    except DockerException as error:
        raise NoEngine(f"PICLOUD_CONTAINER_ENGINE cannot be used ({error}). {INSTALL}") from error
    try:
        yield client
    except NoConnection as error:
        raise NoEngine(f"No container engine answers at {settings.CONTAINER_ENGINE_URL}. {INSTALL}") from error
    finally:
        client.close()


@functools.cache
def is_podman() -> bool:
    """Whether the engine that answers is Podman; asked once."""
    with engine() as client:
        return any("podman" in part["Name"].lower() for part in client.version().get("Components", []))


@functools.cache
def runtime_in_use() -> str:
    """The OCI runtime that a new container gets; asked once."""
    if not is_podman():
        return str(settings.CONTAINER_RUNTIME)
    with engine() as client:
        # Podman takes the runtime that its service was started with, whatever a request says.
        return str(client.info()["DefaultRuntime"])


def ulimits() -> list[dict[str, Any]]:
    """Limits of a container's processes that this machine allows."""
    return [
        _ulimit("nofile", resource.RLIMIT_NOFILE, NOFILE),
        _ulimit("nproc", resource.RLIMIT_NPROC, NPROC),
        {"Name": "core", "Soft": 0, "Hard": 0},
    ]


def _ulimit(name: str, number: int, wanted: int) -> dict[str, Any]:
    hard = resource.getrlimit(number)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    return {"Name": name, "Soft": value, "Hard": value}


def image_size(client: Any, image: str) -> int | None:
    """Bytes of an image, or None when the engine does not have it."""
    from docker.errors import ImageNotFound  # noqa: PLC0415

    try:
        return int(client.inspect_image(image)["Size"])
    except ImageNotFound:
        return None
