"""picloud cron: shell commands and functions that run by a schedule."""

import argparse
import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloud
from cloud._shell import run_shell
from cloud.cli._output import print_fields, print_rows
from cloud.cli._parsing import Commands, Parser, Refused, add, add_group, add_yes, confirm
from cloud.cli.exec import add_job_flags, command_of, job_keywords

_COLUMNS = ("label", "schedule", "timezone", "state", "last_run", "last_jid", "last_outcome", "next_run", "function")


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    verbs = add_group(commands, "cron", "Run commands and functions by a schedule.")
    _add_register(verbs)
    listing = add(verbs, "list", list_crons)
    listing.add_argument("text", nargs="?", default="", help="only with this in label or function")
    for name, run in (("info", info), ("run", run_now), ("pause", pause), ("resume", resume)):
        _with_label(add(verbs, name, run))
    add_yes(_with_label(add(verbs, "deregister", deregister)))


def _add_register(verbs: Commands) -> None:
    parser = _with_label(add(verbs, "register", register))
    parser.add_argument("schedule", metavar="SCHEDULE", help="five fields in quotes, or a name such as @daily")
    parser.add_argument("-z", "--timezone", metavar="ZONE", help="zone of the schedule, as Europe/Berlin (UTC)")
    parser.add_argument("--overlap", choices=("allow", "skip", "replace"), help="if it still runs (allow)")
    parser.add_argument("--catch-up", choices=("last", "none", "all"), help="what to run of missed runs (last)")
    parser.add_argument("--start-grace", type=float, metavar="MINUTES", help="when a start counts as late (5)")
    parser.add_argument("--function", metavar="MODULE:FUNCTION", help="run this function, and no command")
    add_job_flags(parser)


def _with_label(parser: Parser) -> Parser:
    parser.add_argument("label", metavar="LABEL", help="name of the cron")
    return parser


def register(options: argparse.Namespace) -> None:
    """Run a shell command, or with --function a function without arguments, by a schedule."""
    cloud.cron.register(
        _function(options),
        options.label,
        options.schedule,
        _timezone=options.timezone,
        _overlap=options.overlap,
        _catch_up=options.catch_up,
        _start_grace=options.start_grace,
        **job_keywords(options),
    )


def _function(options: argparse.Namespace) -> Callable[[], Any]:
    if options.function:
        if options.command:
            raise Refused("Give a command or --function, not both.")
        return _found(options.function)
    command = command_of(options, "picloud cron register LABEL SCHEDULE 'ls -l | wc'")
    arguments = {name: getattr(options, name) for name in ("cwd", "return_file", "ignore_exit_status")}
    return functools.partial(run_shell, command, **arguments)


def _found(name: str) -> Callable[[], Any]:
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise Refused(f"--function takes MODULE:FUNCTION, as in bot:tweet; {name!r} is none.")
    # As python -m does: a module in the current directory is found first.
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as problem:
        raise Refused(f"{name} was not found: {problem}.") from problem
    if not callable(found):
        raise Refused(f"{name} is no function.")
    function: Callable[[], Any] = found
    return function


def list_crons(options: argparse.Namespace) -> None:
    """List the crons with their last and next runs."""
    rows = [_row(cron) for cron in cloud.cron.every(options.text)]
    print_rows(rows, _COLUMNS, style=options.output)


def _row(cron: dict[str, Any]) -> dict[str, Any]:
    return {**cron, "function": cron["func_name"], "state": "paused" if cron["paused"] else cron["state"]}


def info(options: argparse.Namespace) -> None:
    """Print what is known of a cron."""
    print_fields(cloud.cron.info(options.label), style=options.output)


def run_now(options: argparse.Namespace) -> None:
    """Run a cron now, outside of its schedule; print the id of the job."""
    jid = cloud.cron.manual_run(options.label)
    print_rows([{"jid": jid}], ("jid",), style="json" if options.output == "json" else "no-header")


def pause(options: argparse.Namespace) -> None:
    """Let a cron run no more until it is resumed."""
    cloud.cron.pause(options.label)


def resume(options: argparse.Namespace) -> None:
    """Let a paused cron run again."""
    cloud.cron.resume(options.label)


def deregister(options: argparse.Namespace) -> None:
    """Remove a cron with its history; its jobs stay."""
    confirm(f"This removes cron {options.label} with its history for good.", yes=options.yes)
    cloud.cron.deregister(options.label)
