"""Contestants as this program sees them: a client process that answers questions, and the workers behind it."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
ANSWER_SECONDS = 180.0


class Broken(Exception):
    """A contestant ended or was silent for too long. The message has the end of what it printed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contestant:
    """How to start one: its client, and the servers that do the work."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    python: str = sys.executable
    env: dict[str, str] = field(default_factory=dict)
    workers: Sequence[Sequence[str]] = ()


class Client:
    """A running contestant."""

    def __init__(self, contestant: Contestant, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = contestant.name
        self._process = process
        self._log = log

    def ask(self, question: str, *, timeout: float = ANSWER_SECONDS, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"ask": question, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        return self.answer(timeout=timeout)

    def answer(self, *, timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(timeout) else b""
        if not line:
            last = self._log.read_text(errors="replace")[-3000:]
            raise Broken(f"{self.name} did not answer within {timeout:g} s:\n{last}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def started(contestants: Sequence[Contestant], directory: Path) -> Iterator[list[Client]]:
    """All of them at once, each known to work; they stand still between questions."""
    with contextlib.ExitStack() as stack:
        clients = []
        for contestant in contestants:
            log = directory / f"{contestant.name.replace(' ', '-').replace('/', '-')}.log"
            for command in contestant.workers:
                stack.enter_context(running(command, env=contestant.env, log=log))
            command = [contestant.python, "-m", contestant.module, *contestant.arguments]
            process = stack.enter_context(running(command, env=contestant.env, log=log, talks=True))
            clients.append(Client(contestant, process, log))
        for client in clients:
            client.answer(timeout=START_SECONDS)
        yield clients


@contextmanager
def running(
    command: Sequence[str], *, env: dict[str, str], log: Path, talks: bool = False
) -> "Iterator[subprocess.Popen[bytes]]":
    """The process, in a group of its own; at the end it and all that it started is ended."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_env() | env,
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else errors,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    with process, contextlib.suppress(ProcessLookupError, BrokenPipeError):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
        os.killpg(process.pid, signal.SIGKILL)


def clean_env() -> dict[str, str]:
    """This process's environment without settings of anybody's PiCloud, and with the code on the path."""
    foreign = ("PICLOUD_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return env | {"PYTHONPATH": str(ROOT)}
