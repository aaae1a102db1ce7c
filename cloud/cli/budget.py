"""picloud budget: what a month may cost, and what is held for it."""

import argparse
from decimal import Decimal
from typing import Any

from cloud import _client
from cloud.cli._output import print_rows
from cloud.cli._parsing import Commands, Parser, add, add_group, add_yes, confirm
from cloud.cli.jobs import format_dollars

_COLUMNS = ("budget", "for", "amount", "spent", "percent", "forecast", "action", "state")
_HELD = ("reason", "for", "jobs", "since", "lift", "sentence")
_ACTIONS = ("mail", "hold", "kill")
_PATH = "/api/v1/budgets"


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    verbs = add_group(commands, "budget", "Say what a month may cost, and let go on what is held for it.")
    add(verbs, "list", list_budgets)
    parser = add(verbs, "set", set_budget)
    parser.add_argument("amount", metavar="DOLLARS", help="of a month")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-l", "--label", help="for the jobs of this label")
    what.add_argument("-c", "--cron", metavar="LABEL", help="for the runs of this cron")
    parser.add_argument("--action", choices=_ACTIONS, default="hold", help="when it is spent (hold)")
    parser.add_argument("--no-mails", action="store_true", help="send no mail about it")
    parser = _with_number(add(verbs, "change", change))
    parser.add_argument("--amount", metavar="DOLLARS", help="of a month")
    parser.add_argument("--action", choices=_ACTIONS, help="when it is spent")
    parser.add_argument("--mails", choices=("on", "off"), help="whether to mail about it")
    add_yes(_with_number(add(verbs, "remove", remove)))
    _with_number(add(verbs, "waive", waive))
    add(verbs, "held", held)
    parser = add(verbs, "lift", lift)
    parser.add_argument("brake", metavar="BRAKE", type=int, help="number of the brake, as `held` prints it")


def _with_number(parser: Parser) -> Parser:
    parser.add_argument("budget", metavar="BUDGET", type=int, help="number of the budget, as `list` prints it")
    return parser


def list_budgets(options: argparse.Namespace) -> None:
    """List the budgets as they stand this month."""
    _print(_client.request_json("GET", _PATH)["budgets"], options)


def _print(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    print_rows(rows if options.output == "json" else [_row(row) for row in rows], _COLUMNS, style=options.output)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    amounts = {name: row[name] and format_dollars(Decimal(row[name])) for name in ("amount", "spent", "forecast")}
    return {**row, **amounts, "for": _for(row), "percent": f"{row['percent']} %", "state": _state(row)}


def _for(row: dict[str, Any]) -> str:
    return f"{row['scope']} {row['name']}" if row["name"] else "account"


def _state(row: dict[str, Any]) -> str:
    if row["holds"]:
        return "holding"
    if row["waived"]:
        return "waived"
    return "spent" if row["percent"] >= 100 else "ok"


def set_budget(options: argparse.Namespace) -> None:
    """Let the account, or a label or cron of it, cost this much in a month."""
    scope = "label" if options.label else "cron" if options.cron else "account"
    asked = {"amount": options.amount, "scope": scope, "name": options.label or options.cron}
    asked |= {"action": options.action, "mails": not options.no_mails}
    _print([_client.request_json("POST", _PATH, asked, idempotent=False)], options)


def change(options: argparse.Namespace) -> None:
    """Change what a budget allows or does; a raised one lets jobs go on at once."""
    asked: dict[str, Any] = {"amount": options.amount, "action": options.action}
    if options.mails:
        asked["mails"] = options.mails == "on"
    wanted = {name: value for name, value in asked.items() if value is not None}
    _print([_client.request_json("PATCH", f"{_PATH}/{options.budget}", wanted)], options)


def remove(options: argparse.Namespace) -> None:
    """Remove a budget; what it holds goes on."""
    confirm(f"This removes budget {options.budget}; what it holds goes on.", yes=options.yes)
    _client.request("DELETE", f"{_PATH}/{options.budget}")


def waive(options: argparse.Namespace) -> None:
    """Let a budget hold nothing for the rest of the month."""
    _print([_client.request_json("POST", f"{_PATH}/{options.budget}/waive", {})], options)


def held(options: argparse.Namespace) -> None:
    """List what holds jobs, why, and until when."""
    rows = _client.request_json("GET", _PATH)["held"]
    shown = rows if options.output == "json" else [_held_row(row) for row in rows]
    print_rows(shown, _HELD, style=options.output)


def _held_row(row: dict[str, Any]) -> dict[str, Any]:
    what = f"label {row['label']}" if row["label"] else f"key {row['api_key']}" if row["api_key"] else "account"
    budget, brake = row["budget"], row["brake"]
    how = f"budget waive {budget}" if budget else f"budget lift {brake}" if brake else ""
    return {**row, "for": what, "lift": how, "since": row["since"][:16].replace("T", " ")}


def lift(options: argparse.Namespace) -> None:
    """Let the jobs of a braked API key go on; it is not braked again within a day."""
    _client.request_json("POST", f"/api/v1/brakes/{options.brake}/lift", {})
