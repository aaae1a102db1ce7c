"""picloud setup: which server, as whom."""

import argparse
import getpass
import sys

import cloud
from cloud import _client
from cloud._config import DEFAULT_URL, config, config_file, read_file, write_file
from cloud.cli._output import print_fields, say
from cloud.cli._parsing import Commands, Refused, add


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    parser = add(commands, "setup", setup)
    parser.add_argument("--url", help="address of the server")
    parser.add_argument("--api-key", default=argparse.SUPPRESS, help="number of the API key")
    parser.add_argument("--api-secretkey", default=argparse.SUPPRESS, help="its secret; - reads it from standard input")
    parser.add_argument("--no-check", action="store_true", help="store the key without asking the server about it")


def setup(options: argparse.Namespace) -> None:
    """Store which server to use and as whom, after the server has accepted the key."""
    path = config_file()
    stored = _stored()
    url = options.url or _ask("Server", stored.get("url", DEFAULT_URL))
    api_key = options.api_key or _ask("API key", stored.get("api_key", ""))
    secret = options.api_secretkey or _ask("API secret key", "", secret=True)
    if secret == "-":
        secret = sys.stdin.readline().strip()
    if not options.no_check:
        config.retry_seconds = 0
        cloud.setkey(api_key, secret, server_url=url)
        account = _client.request_json("GET", "/api/v1/account")
        say(f"{url} knows you as {account['username']}.")
    write_file(path, stored | {"url": url, "api_key": api_key, "api_secretkey": secret})
    print_fields({"written": str(path)}, style=options.output)


def _stored() -> dict[str, str]:
    try:
        return read_file(config_file())
    except cloud.CloudException as problem:
        say(f"{problem} It is written anew.")
        return {}


def _ask(what: str, usual: str, *, secret: bool = False) -> str:
    if not sys.stdin.isatty():
        raise Refused(f"{what} is missing: give --url, --api-key and --api-secretkey.")
    prompt = f"{what} [{usual}]: " if usual else f"{what}: "
    answer = getpass.getpass(prompt) if secret else input(prompt)
    if not (answer.strip() or usual):
        raise Refused(f"{what} is missing: the dashboard's account page shows it.")
    return answer.strip() or usual
