"""The `picloud` command: puts the commands together, and turns what goes wrong into a sentence and an exit status."""

import argparse
import json
import os
import pickle
import platform
import sys
import traceback
from collections.abc import Sequence

import cloud
from cloud.cli import (
    account,
    billing,
    budget,
    cron,
    estimate,
    exec,  # noqa: A004
    explain,
    files,
    jobs,
    logs,
    realtime,
    setup,
)
from cloud.cli._output import say
from cloud.cli._parsing import STYLES, USAGE, Parser, Refused

SERVICE_ERROR = 3
INTERRUPTED = 130
_PARTS = (setup, jobs, logs, exec, cron, realtime, estimate, explain, files, billing, budget, account)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 wrong usage or unexpected, 3 the service or a job said no."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(prog="picloud", description="Run functions and commands on PiCloud, and look at what they do.")
    version = f"picloud {cloud.__version__} (Python {platform.python_version()})"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks of errors")
    parser.add_argument("-o", "--output", choices=STYLES, default="default", help="how to print (default: a table)")
    parser.add_argument("-a", "--api-key", metavar="N", help="API key to use for this command")
    parser.add_argument("-k", "--api-secretkey", metavar="S", help="its secret; other users of this machine see it")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for part in _PARTS:
        part.add_commands(commands)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    parser = build_parser()
    if not arguments:
        parser.print_help(sys.stderr)
        return USAGE
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.error("there is no command")
    try:
        if options.api_key and options.run is not setup.setup:
            cloud.setkey(options.api_key, options.api_secretkey or os.environ.get("PICLOUD_API_SECRETKEY"))
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not try to write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except KeyboardInterrupt:
        say("Interrupted.")
        return INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - the last line of defence of a program
        return _report(problem, options)
    return 0


def _report(problem: Exception, options: argparse.Namespace) -> int:
    if options.verbose:
        traceback.print_exception(problem)
    is_service = isinstance(problem, cloud.CloudException)
    code = (problem.status if isinstance(problem, cloud.CloudException) else None) or type(problem).__name__
    if options.output == "json":
        say(json.dumps({"error": {"code": code, "message": str(problem)}}))
    else:
        say(f"picloud: {_sentence(problem)}")
    return SERVICE_ERROR if is_service else USAGE


def _sentence(problem: Exception) -> str:
    expected = (cloud.CloudException, Refused, ValueError, TypeError, OSError, pickle.PicklingError)
    return str(problem) if isinstance(problem, expected) else f"{type(problem).__name__}: {problem} (-v says where)"


if __name__ == "__main__":
    main()
