"""What `manage.py worker_host` says of a machine that cannot join, before it begins anything."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from redis import Redis

from common.exceptions import NotFound, Refused
from environments.models import Environment
from environments.recipe import read_recipe
from environments.services import ensure_known_environment
from jobs.services import machines
from picloud_site import joining
from tests.stack import CODE


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    foreign = ("PICLOUD_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "manage.py", "worker_host"],
        cwd=CODE, env=env | {"PICLOUD_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    first, *rest = done.stderr.strip().splitlines()
    assert first == "CommandError: This machine cannot join yet:"
    assert [line.split()[1] for line in rest] == [
        "DATABASE_URL", "REDIS_URL", "PICLOUD_S3_BUCKET", "SECRET_KEY", "PICLOUD_URL_PUBLIC",
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["0", "-1", "1000000000", "1.5", "many"])
def test_slots_that_make_no_sense_are_refused(number: str) -> None:
    with pytest.raises(CommandError, match=f"from 1 to 999 is wanted, not '{number}'"):
        call_command("worker_host", f"--slots={number}")


@pytest.mark.parametrize("name", ["a:b", "", "a b", "x" * 64, "-x"])
def test_names_that_others_could_not_read_are_refused(name: str) -> None:
    with pytest.raises(CommandError, match="up to 63 letters"):
        call_command("worker_host", f"--name={name}")


def test_empty_list_of_core_types_is_refused() -> None:
    with pytest.raises(CommandError, match="name at least one core type"):
        call_command("worker_host", "--core-types=,")


@pytest.mark.django_db
def test_core_type_that_does_not_exist_is_named() -> None:
    assert list(joining._core_type_problems(["c1", "zz"])) == [
        "There is no core type 'zz'. There are: c1, c2, f2, m1, s1."
    ]


@pytest.mark.django_db
def test_database_of_another_version_is_told() -> None:
    assert list(joining._version_problems()) == []
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('jobs', '9999_later', '2026-01-01')")
    (newer,) = joining._version_problems()
    assert newer.startswith("The database is of a newer version of PiCloud than this machine")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later' OR app = 'realtime'")
    (older,) = joining._version_problems()
    assert older.startswith("The database is of an older version of PiCloud than this machine")


def test_key_and_clock_of_the_installation_are_looked_for(redis: Redis, settings: Any) -> None:
    (silent,) = joining._redis_problems()
    assert silent.startswith("No clock of the installation has reported to this Redis")
    machines.leave_mark()
    assert list(joining._redis_problems()) == []
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    (other,) = joining._redis_problems()
    assert other.startswith("SECRET_KEY is not the web host's")


def test_web_host_that_does_not_answer_is_named(settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    (problem,) = joining._web_problems()
    assert problem.startswith("PICLOUD_URL_PUBLIC: http://127.0.0.1:9/healthz does not answer from here")


@pytest.mark.django_db
def test_environment_of_another_version_is_refused(settings: Any) -> None:
    settings.SANDBOX = "process"
    with pytest.raises(NotFound, match="There is no environment 'base'"):
        ensure_known_environment()
    known = Environment.objects.create(name="base", digest=read_recipe("base").digest, python="3.11")
    with pytest.raises(Refused, match="the same PICLOUD_SANDBOX"):
        ensure_known_environment()
    settings.SANDBOX = "container"
    known.platform = {"machine": "riscv64"}
    known.save()
    with pytest.raises(Refused, match="the installation's environment is for riscv64"):
        ensure_known_environment()
