"""Changes to environments."""

import contextlib
import fcntl
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from common.exceptions import Refused
from environments.build import build_image
from environments.engine import engine, image_size
from environments.inspection import Inventory, inspect_image, inspect_this_python
from environments.models import Environment
from environments.recipe import Recipe, read_recipe
from environments.selectors import environment_for

BASE = "base"
SERVER_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def build_environment(*, name: str, say: Callable[[str], None] = lambda _: None) -> Environment:
    """Make sure that the image of a recipe exists and is the one that the environment's row names."""
    recipe = read_recipe(name)
    size = ensure_image(recipe=recipe, say=say)
    row = Environment.objects.filter(name=recipe.name).first() or Environment(name=recipe.name)
    if row.digest != recipe.digest or not row.packages:
        with engine(timeout=900) as client:
            _record(row, recipe, size=size, inventory=inspect_image(client, recipe.image))
    return row


def ensure_image(*, recipe: Recipe, say: Callable[[str], None] = lambda _: None) -> int:
    """Build the image of a recipe unless the engine has it; returns its size in bytes."""
    with engine(timeout=900) as client:
        size = image_size(client, recipe.image)
        if size is not None:
            return size
        with _one_build_at_a_time():
            size = image_size(client, recipe.image)
            if size is None:
                build_image(client, recipe, say=say)
                size = image_size(client, recipe.image)
    assert size is not None
    return size


def ensure_base_environment(*, say: Callable[[str], None] = lambda _: None) -> Environment:
    """The environment that every job has at least: built from its recipe, or this very Python without isolation."""
    if settings.SANDBOX == "container":
        return build_environment(name=BASE, say=say)
    inventory = inspect_this_python()
    defaults = {
        "image": "",
        "digest": f"process-{SERVER_PYTHON}",
        "python": SERVER_PYTHON,
        "size_bytes": 0,
        "packages": inventory.packages,
        "platform": inventory.platform,
    }
    return Environment.objects.update_or_create(name=BASE, defaults=defaults)[0]


def ensure_known_environment(*, say: Callable[[str], None] = lambda _: None) -> None:
    """Have the base environment on this machine as well, just as the installation that it works for knows it.

    Raises NotFound when that has none yet, and Refused when this machine would make another one.
    """
    known = environment_for(name=BASE)
    digest = read_recipe(BASE).digest if settings.SANDBOX == "container" else f"process-{SERVER_PYTHON}"
    machine = known.platform.get("machine", platform.machine())
    if digest != known.digest:
        raise Refused(
            "other_environment",
            f"The base environment here is {digest[:19]}, that of the installation {known.digest[:19]}: this machine "
            "needs the same version of PiCloud, the same PICLOUD_SANDBOX and, without containers, the same Python.",
        )
    if machine != platform.machine():
        raise Refused(
            "other_machine",
            f"This machine is {platform.machine()} and the installation's environment is for {machine}: modules that "
            "travel with functions would not run here.",
        )
    if settings.SANDBOX == "container":
        ensure_image(recipe=read_recipe(BASE), say=say)


def _record(row: Environment, recipe: Recipe, *, size: int, inventory: Inventory) -> None:
    if row.digest != recipe.digest:
        row.image, row.digest, row.python = recipe.image, recipe.digest, recipe.python
        row.size_bytes, row.built_at = size, timezone.now()
    row.packages, row.platform = inventory.packages, inventory.platform
    row.save()


@contextlib.contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    """Stacks of one machine share the engine's store: the second waits for the first, and finds the image there."""
    path = Path(tempfile.gettempdir()) / f"picloud-build-{os.geteuid()}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
