"""picloud exec: a shell command as a job."""

import argparse
import shlex
from typing import Any

import cloud
from cloud._shell import run_shell
from cloud.cli._output import print_rows
from cloud.cli._parsing import Commands, Parser, Refused, add, jids


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    parser = add(commands, "exec", execute)
    parser.add_argument("-l", "--label", help="label of the job")
    parser.add_argument("-x", "--depends-on", type=jids, metavar="JIDS", help="jobs that must be done before")
    parser.add_argument(
        "--depends-on-errors", choices=("abort", "ignore"), default="abort", help="if they fail (abort)"
    )
    add_job_flags(parser)


def add_job_flags(parser: Parser) -> None:
    """The flags that say how a command runs, and the command."""
    parser.add_argument("-t", "--type", default="c1", help="core type (c1)")
    parser.add_argument("-c", "--cores", type=int, default=1, help="cores on one machine (1)")
    parser.add_argument("-r", "--return", dest="return_file", metavar="FILENAME", help="this file is the result")
    parser.add_argument("-i", "--ignore-exit-status", action="store_true", help="a failing command is no error")
    parser.add_argument("-w", "--cwd", help="directory to run in")
    parser.add_argument("-m", "--max-runtime", type=float, metavar="MINUTES", help="kill the job after this time")
    parser.add_argument("--max-cost", type=float, metavar="DOLLARS", help="kill the job when it has cost this")
    parser.add_argument("--not-restartable", action="store_true", help="never run it a second time")
    parser.add_argument("--priority", type=int, default=5, help="lower runs earlier (5)")
    text = "one word is a line for bash; several are a program and its arguments"
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help=text)


def command_of(options: argparse.Namespace, example: str) -> str:
    """The line for bash."""
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise Refused(f"There is no command to run: write it after the options, as in {example}.")
    return words[0] if len(words) == 1 else shlex.join(words)


def job_keywords(options: argparse.Namespace) -> dict[str, Any]:
    """The reserved keywords that the flags stand for."""
    return {
        "_type": options.type,
        "_cores": options.cores,
        "_max_runtime": options.max_runtime,
        "_max_cost": options.max_cost,
        "_restartable": not options.not_restartable,
        "_priority": options.priority,
    }


def execute(options: argparse.Namespace) -> None:
    """Run a shell command as a job, whose result is what it printed; print the job's id."""
    arguments: dict[str, Any] = {
        "cwd": options.cwd,
        "return_file": options.return_file,
        "ignore_exit_status": options.ignore_exit_status,
    }
    jid = cloud.call(
        run_shell,
        command_of(options, "picloud exec 'ls -l | wc'"),
        **arguments,
        _label=options.label,
        _depends_on=options.depends_on,
        _depends_on_errors=options.depends_on_errors,
        **job_keywords(options),
    )
    print_rows([{"jid": jid}], ("jid",), style="json" if options.output == "json" else "no-header")
