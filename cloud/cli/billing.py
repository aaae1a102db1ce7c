"""picloud billing, statements, rates: what jobs have cost, and what things cost."""

import argparse
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from cloud import _client
from cloud.cli._output import print_fields, print_json, print_rows, write
from cloud.cli._parsing import Commands, Refused, add
from cloud.cli.jobs import format_dollars

_CUTS = ("function", "label", "cron", "reservation", "api_key")
_KIND_COLUMNS = ("kind", "core_type", "runs", "core_hours", "cost")
_LINE_COLUMNS = ("name", "note", "runs", "core_hours", "cost")
_STATEMENT_COLUMNS = ("month", "closed", "entries", "cost")
_RATE_COLUMNS = ("name", "dollars", "reserved", "since", "until")


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    parser = add(commands, "billing", billing)
    parser.add_argument("--month", metavar="YYYY-MM", help="the present month when left out")
    parser.add_argument("--by", choices=_CUTS, help="cut the month by this, the dearest first")
    parser.add_argument("--csv", action="store_true", help="print every line of the ledger, for a spreadsheet")
    add(commands, "statements", statements)
    add(commands, "rates", rates)


def billing(options: argparse.Namespace) -> None:
    """Print what a month has come to, and what it was for."""
    asked = f"?{urlencode({'month': options.month})}" if options.month else ""
    month = _client.request_json("GET", f"/api/v1/billing{asked}")
    if options.csv:
        if options.by:
            raise Refused("--csv prints single lines, and --by sums: give one of them.")
        answer = _client.request("GET", f"/api/v1/billing/statements/{quote(month['month'], safe='')}/entries.csv")
        write(answer.body.decode().rstrip("\r\n").replace("\r\n", "\n"))
    elif options.output == "json":
        print_json(month["by"][options.by] if options.by else month)
    elif options.by:
        print_rows([_row(line) for line in month["by"][options.by]], _LINE_COLUMNS, style=options.output)
    else:
        if options.output == "default":
            print_fields(_head(month), style=options.output)
            write("")
        print_rows([_row(line) for line in month["kinds"]], _KIND_COLUMNS, style=options.output)


def _head(month: dict[str, Any]) -> dict[str, Any]:
    head = {"month": month["month"], "cost": format_dollars(Decimal(month["cost"]))}
    if month["forecast"] is not None:
        head["forecast"] = format_dollars(Decimal(month["forecast"]))
    return head | {"core_hours": _hours(month["core_hours"]), "runs": month["runs"]}


def _row(line: dict[str, Any]) -> dict[str, Any]:
    cost, hours = format_dollars(Decimal(line["cost"])), _hours(line["core_hours"])
    return {**line, "cost": cost, "core_hours": hours, "name": line.get("name") or "(none)"}


def _hours(text: str) -> str:
    """With enough digits that a short run never reads as nothing."""
    amount = Decimal(text)
    digits = 2 if amount == 0 or amount >= 1 else max(2, 1 - amount.adjusted())
    return f"{amount:.{digits}f}"


def statements(options: argparse.Namespace) -> None:
    """List the months that are closed, with what they came to."""
    rows = _client.request_json("GET", "/api/v1/billing/statements")["statements"]
    shown = [{**row, "cost": format_dollars(Decimal(row["cost"])), "closed": _day(row["closed"])} for row in rows]
    print_rows(rows if options.output == "json" else shown, _STATEMENT_COLUMNS, style=options.output)


def rates(options: argparse.Namespace) -> None:
    """List what things cost, cost before, and will cost."""
    found = _client.request_json("GET", "/api/v1/billing/rates")["rates"]
    if options.output == "json":
        print_json(found)
        return
    rows = [
        {
            "name": rate["name"],
            "dollars": price["dollars"],
            "since": _day(price["since"]),
            "until": _day(price["until"]),
        }
        for rate in found
        for price in rate["prices"]
    ]
    print_rows(rows, _RATE_COLUMNS, style=options.output)


def _day(moment: str | None) -> str | None:
    return moment[:10] if moment else None
