"""picloud logs: what a job prints, also while it runs."""

import argparse
import sys
import time

import cloud
from cloud import _client
from cloud.cli._output import print_json
from cloud.cli._parsing import Commands, add

_PAUSE = 0.5
_OVERLAP = 400


def add_commands(commands: Commands) -> None:
    """The commands of this file."""
    parser = add(commands, "logs", logs)
    parser.add_argument("jid", metavar="JID", type=int, help="id of the job")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job is finished")
    parser.add_argument("--stream", choices=("stdout", "stderr", "logging"), default="stdout", help="which (stdout)")


def logs(options: argparse.Namespace) -> None:
    """Print the job's output."""
    text = _read(options)
    if options.output == "json" and not options.follow:
        print_json({options.stream: text})
        return
    _write(text)
    while options.follow:
        # Asked before the output is read: what a finished job printed is all there.
        is_finished = cloud.status(options.jid) in cloud.finished_statuses
        fresh = _read(options)
        _write(added(text, fresh))
        text = fresh
        if is_finished:
            return
        time.sleep(_PAUSE)


def added(old: str, new: str) -> str:
    """What `new` holds after the end of `old`, of which the beginning may be gone."""
    if new.startswith(old):
        return new[len(old) :]
    end = old[-_OVERLAP:]
    found = new.rfind(end)
    return new if found < 0 else new[found + len(end) :]


def _read(options: argparse.Namespace) -> str:
    answer = _client.request("GET", f"/api/v1/jobs/{options.jid}/logs?stream={options.stream}")
    return answer.body.decode("utf-8", "replace")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
