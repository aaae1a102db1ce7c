"""Remove the containers and networks that killed workers of this installation left on this host."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from worker.sandbox import remove_leftovers


class Command(BaseCommand):
    help = "Removes what killed workers left behind. Only while no worker of this PICLOUD_HOME runs here."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        remove_leftovers(settings.PICLOUD_HOME)
