"""Make an account and its first API key from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import services
from common.exceptions import Refused


class Command(BaseCommand):
    help = "Make an account; prints its user name, API key and secret as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--password", required=True, help="Any that is not empty: the operator decides.")
        parser.add_argument("--email", default="")
        parser.add_argument("--staff", action="store_true", help="May use the admin site, with all rights.")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                user = services.create_user(
                    username=options["name"],
                    password=options["password"],
                    email=options["email"],
                    is_staff=options["staff"],
                )
                key, secret = services.create_api_key(user=user, note="create_account")
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(json.dumps({"username": user.username, "api_key": key.pk, "api_secretkey": secret}))
