"""Environments: their recipes, their rows, and what is said when one is missing."""

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.management import CommandError, call_command

from common.exceptions import NotFound
from environments.build import BuildFailed, Prefixed, host_sources, import_tar
from environments.engine import NoEngine, engine
from environments.models import Environment
from environments.recipe import read_recipe
from environments.selectors import environment_for
from environments.services import SERVER_PYTHON, build_environment, ensure_base_environment


@pytest.fixture
def base_row(db: None) -> Environment:
    return Environment.objects.create(name="base", image="localhost/picloud/base:1", digest="1", python="3.11")


def test_recipe_is_named_by_its_content() -> None:
    recipe = read_recipe("base")
    assert recipe.image == f"localhost/picloud/base:{recipe.digest[:12]}"
    assert {"ffmpeg", "git", "openssh-server", "python3", "ca-certificates"} <= set(recipe.packages)
    assert {"numpy==2.4.6", "cloudpickle==3.1.2"} <= set(recipe.pip)


@pytest.mark.parametrize("name", ["none", "../base", "", "base/.."])
def test_unknown_recipe_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(NotFound, match=r"There are: base\."):
        read_recipe(name)


def test_environment_is_found_by_name(base_row: Environment) -> None:
    assert environment_for() == base_row


def test_unknown_environment_is_answered_with_those_there_are(base_row: Environment) -> None:
    with pytest.raises(NotFound, match=r"There are: base\."):
        environment_for(name="other")


def test_without_isolation_the_base_environment_is_this_python(db: None, settings: Any) -> None:
    settings.SANDBOX = "process"
    assert ensure_base_environment() == ensure_base_environment()
    environment = environment_for()
    assert (environment.image, environment.python) == ("", SERVER_PYTHON)
    assert environment.packages["django"] == django.__version__


def test_missing_engine_is_said_with_a_way_out(db: None, settings: Any, tmp_path: Path) -> None:
    settings.CONTAINER_ENGINE_URL = f"unix://{tmp_path}/none.sock"
    with pytest.raises(NoEngine, match="apt install podman"):
        build_environment(name="base")
    with pytest.raises(CommandError, match="PICLOUD_SANDBOX=process"):
        call_command("build_environment", "base")


def test_built_image_is_taken_as_it_is_in_well_under_a_second(db: None, base_image: str) -> None:
    lines: list[str] = []
    build_environment(name="base")
    begun = time.monotonic()
    environment = build_environment(name="base", say=lines.append)
    assert (environment.image, environment.python, lines) == (base_image, "3.11", [])
    assert environment.size_bytes > 100_000_000
    assert (environment.packages["numpy"], environment.platform["libc"]) == ("2.4.6", "glibc")
    assert time.monotonic() - begun < 1


def test_image_that_the_engine_does_not_take_is_a_sentence(base_image: str) -> None:
    with engine() as client, pytest.raises(BuildFailed, match=r"did not take the image: ."):
        import_tar(client, read_recipe("base"), Prefixed(b"n", BytesIO(b"o tar" * 1000)))


def test_new_recipe_replaces_the_row_of_the_old_one(base_row: Environment, base_image: str) -> None:
    environment = build_environment(name="base")
    assert (environment.pk, environment.digest) == (base_row.pk, read_recipe("base").digest)


def test_sources_of_this_host_serve_only_its_own_suite() -> None:
    assert host_sources("no-such-suite") == b""
