"""The account, its API keys, and what it can run on."""

import argparse
from urllib.parse import quote

from cloud import _client
from cloud.cli._output import print_fields, print_rows
from cloud.cli._parsing import Commands, add, add_group, add_yes, confirm

_KEY_COLUMNS = ("api_key", "note", "active", "created", "last_used")
_TYPE_COLUMNS = (
    "code",
    "compute_units",
    "memory_mb",
    "disk_mb",
    "allowed_cores",
    "dollars_per_core_hour",
    "description",
)


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    verbs = add_group(commands, "keys", "List, create, deactivate and activate API keys.")
    add(verbs, "list", list_keys)
    add(verbs, "create", create_key).add_argument("--note", default="", help="what the key is for")
    parser = add(verbs, "deactivate", deactivate_key)
    parser.add_argument("key", metavar="KEY", type=int, help="number of the key")
    add_yes(parser)
    add(verbs, "activate", activate_key).add_argument("key", metavar="KEY", type=int, help="number of the key")
    add(commands, "account", account)
    add(commands, "core-types", core_types)
    add(commands, "environments", environments)


def list_keys(options: argparse.Namespace) -> None:
    """List the API keys."""
    print_rows(_client.request_json("GET", "/api/v1/keys")["keys"], _KEY_COLUMNS, style=options.output)


def create_key(options: argparse.Namespace) -> None:
    """Make an API key and print its secret, which is shown this once."""
    key = _client.request_json("POST", "/api/v1/keys", {"note": options.note}, idempotent=False)
    print_fields({name: key[name] for name in ("api_key", "api_secretkey", "note")}, style=options.output)


def deactivate_key(options: argparse.Namespace) -> None:
    """Refuse an API key from now on."""
    confirm(f"Programs that use key {options.key} will be refused.", yes=options.yes)
    _client.request_json("POST", f"/api/v1/keys/{options.key}/deactivate", {})


def activate_key(options: argparse.Namespace) -> None:
    """Accept a deactivated API key again."""
    _client.request_json("POST", f"/api/v1/keys/{quote(str(options.key))}/activate", {})


def account(options: argparse.Namespace) -> None:
    """Print whose key is in use, and where."""
    found = _client.request_json("GET", "/api/v1/account")
    print_fields({"server": _client.server()[0], **found}, style=options.output)


def core_types(options: argparse.Namespace) -> None:
    """List the core types with their prices."""
    print_rows(_client.request_json("GET", "/api/v1/core-types")["core_types"], _TYPE_COLUMNS, style=options.output)


def environments(options: argparse.Namespace) -> None:
    """List the environments that jobs can run in."""
    rows = _client.request_json("GET", "/api/v1/environments")["environments"]
    print_rows(rows, ("name", "python", "size", "built"), style=options.output)
