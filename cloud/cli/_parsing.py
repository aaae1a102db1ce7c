"""What the commands share: their parser, job ids, a question before something is lost."""

import argparse
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from cloud import _jids
from cloud.cli._output import say

USAGE = 1
STYLES = ("json", "no-header", "default")
Commands = Any  # argparse keeps the class of its sub-parsers private


class Refused(Exception):
    """A command that was not carried out, and why."""


class Parser(argparse.ArgumentParser):
    """argparse's, with the exit status that this command promises for wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def add(commands: Commands, name: str, run: Callable[[argparse.Namespace], None], **settings: Any) -> Parser:
    """A command with its help, which also takes the output style after its name."""
    text = (run.__doc__ or "").strip().partition("\n")[0]
    parser: Parser = commands.add_parser(name, help=text, description=text, **settings)
    parser.set_defaults(run=run)
    # After the command only in its long form: -o means something else there.
    parser.add_argument("--output", choices=STYLES, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """A noun whose verbs follow it."""
    parser: Parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=lambda _options: _explain(parser))
    return parser.add_subparsers(metavar="COMMAND", parser_class=Parser)


def _explain(parser: Parser) -> NoReturn:
    parser.print_help(sys.stderr)
    sys.exit(USAGE)


def jids(text: str) -> list[int]:
    """Job ids as they are written on a command line: `1,4,7-9`."""
    try:
        return _jids.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def add_yes(parser: Parser) -> None:
    """The flag that answers the question before something is lost."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def confirm(question: str, *, yes: bool, always: bool = False) -> None:
    """Ask on a terminal; Refused when the answer is no, or when it must always be asked and there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        if always:
            raise Refused(f"{question} Nobody is there to ask: say --yes.")
        return
    say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("Nothing was done.")
