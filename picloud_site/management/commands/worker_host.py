"""Let this machine run jobs of an installation whose web host is elsewhere, until SIGTERM or SIGINT."""

import os
import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from common.env import env_str
from picloud_site import joining

MOST_SLOTS = 999
PATIENCE_S = "120"  # what a provider gives before it takes a spot machine back


def slots(text: str) -> int:
    """A number of core slots. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_SLOTS:
        raise ArgumentTypeError(f"a whole number from 1 to {MOST_SLOTS} is wanted, not {text!r}")
    return int(text)


def codes(text: str) -> list[str]:
    """A list of core types, separated by commas. Raises ArgumentTypeError."""
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise ArgumentTypeError("name at least one core type, as in c1,c2")
    return found


def host_name(text: str) -> str:
    """A name for this machine. Raises ArgumentTypeError."""
    if not settings.HOST_NAME_PATTERN.fullmatch(text):
        raise ArgumentTypeError(f"up to 63 letters, digits, dots, dashes or '_' are wanted, not {text!r}")
    return text


class Command(BaseCommand):
    help = (
        "Runs jobs on this machine for an installation whose web host is elsewhere. Needs the installation's own "
        "DATABASE_URL, REDIS_URL, bucket, SECRET_KEY and PICLOUD_URL_PUBLIC in the environment. SIGTERM drains it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        cores = settings.WORKER_SLOTS or os.cpu_count() or 1
        parser.add_argument("--slots", type=slots, default=cores, help=f"core slots here ({cores})")
        parser.add_argument("--core-types", type=codes, default=settings.CORE_TYPE_QUEUES, help="such as c1,c2 (all)")
        parser.add_argument("--name", type=host_name, default=settings.HOST_NAME, help=f"({settings.HOST_NAME})")

    def handle(self, *args: Any, **options: Any) -> None:
        core_types: list[str] = options["core_types"]
        _refuse(joining.missing_settings())
        _refuse(joining.problems(core_types=core_types))
        connection.close()
        chosen = {
            "PICLOUD_WORKERS": str(options["slots"]),
            "PICLOUD_CORE_TYPES": ",".join(core_types),
            "PICLOUD_HOST_NAME": options["name"],
            "PICLOUD_DRAIN_SECONDS": env_str("PICLOUD_DRAIN_SECONDS") or PATIENCE_S,
        }
        self.stdout.flush()
        os.chdir(settings.CODE)
        # In place of this process: the supervisor has no use for what Django has loaded here.
        command = [sys.executable, "-m", "picloud_site.supervisor", "--host"]
        os.execve(sys.executable, command, os.environ | chosen)  # noqa: S606 - no shell is wanted


def _refuse(sentences: Iterable[str]) -> None:
    found = list(sentences)
    if found:
        raise CommandError("\n".join(["This machine cannot join yet:", *(f"- {sentence}" for sentence in found)]))
