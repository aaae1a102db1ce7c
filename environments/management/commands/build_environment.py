"""`manage.py build_environment base`: the image of a recipe, built unless it is there."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.exceptions import Refused
from environments.services import build_environment


class Command(BaseCommand):
    help = "Build the image of an environment's recipe, unless the container engine has it already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of a directory in environments/recipes")

    def handle(self, *_: Any, **options: Any) -> None:
        begun = time.monotonic()

        def say(line: str) -> None:
            self.stdout.write(f"[{time.monotonic() - begun:5.1f} s] {line}")
            self.stdout.flush()

        try:
            environment = build_environment(name=options["name"], say=say)
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{environment.image}, {environment.size_bytes / 1e6:.0f} MB")
