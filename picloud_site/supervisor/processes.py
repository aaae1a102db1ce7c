"""Child processes of the supervisor: started in a group of their own, prefixed in the output, killed with us."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
LONGEST_LINE = 8192  # bytes; a longer one is cut in pieces
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
HEALTHY_AFTER_S = 20.0  # a process that lived this long starts again without a pause to speak of

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Makes this process the parent of whatever its descendants leave behind, so that it can end them."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with(parent: int, by: signal.Signals) -> None:
    _libc.prctl(PR_SET_PDEATHSIG, by, 0, 0, 0)
    # The parent may have died before the line above.
    if os.getppid() != parent:
        os._exit(1)


class Make:
    """The `make` that runs us. It passes SIGTERM on but keeps SIGINT to itself, then waits for us to end."""

    def __init__(self) -> None:
        self.pid = os.getppid()
        name = Path(f"/proc/{self.pid}/comm")
        self.is_parent = name.exists() and name.read_text().strip() == "make" and self._catches_interrupts()

    def was_interrupted(self) -> bool:
        # Once it has caught one it catches no more.
        return self.is_parent and not self._catches_interrupts()

    def _catches_interrupts(self) -> bool:
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return False
        caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
        return bool(caught >> (signal.SIGINT - 1) & 1)


class Process:
    """One line of the Procfile at work. It keeps no Popen: the supervisor collects every dead child itself."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        env: dict[str, str],
        cwd: Path,
        dies_by: signal.Signals = signal.SIGKILL,  # when the supervisor is gone
    ) -> None:
        self.name = name
        self.dies_by = dies_by
        self.command = command
        self.env = env
        self.cwd = cwd
        self.pid: int | None = None
        self.exit_code: int | None = None
        self.output: IO[bytes] | None = None
        self.started_at = 0.0
        self.restart_at = 0.0
        self.pause = FIRST_PAUSE_S

    @property
    def is_running(self) -> bool:
        return self.pid is not None

    def start(self) -> None:
        parent = os.getpid()
        popen = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            # Safe here: this process has a single thread.
            preexec_fn=lambda: _die_with(parent, self.dies_by),  # noqa: PLW1509
        )
        self.pid, self.output, self.exit_code = popen.pid, popen.stdout, None
        popen.returncode = 0  # we collect it; Popen must not try
        self.started_at = time.monotonic()

    def note_end(self, exit_code: int) -> None:
        """Remembers how it ended, and when it may start again: later each time it dies young."""
        self.kill_group()
        now = time.monotonic()
        if now - self.started_at > HEALTHY_AFTER_S:
            self.pause = FIRST_PAUSE_S
        self.pid, self.exit_code = None, exit_code
        self.restart_at = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE_S)
        self.started_at = now

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            _send(self.pid, number)

    def kill_group(self) -> None:
        if self.pid is not None:
            _send(-self.pid, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def exit_words(exit_code: int) -> str:
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with code {exit_code}"


def collect_dead() -> Iterable[tuple[int, int]]:
    """Process ids and exit codes of all children that died since the last call."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # "pid (name) state ppid": the name may hold spaces and brackets.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(entry.name)] = int(fields[1])
    return found


def _is_shared(pid: int) -> bool:
    """Whether it is the process by which Podman without root holds the namespace of all containers of a user."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in ("catatonit", "podman pause")
    except OSError:
        return False


def kill_descendants() -> int:
    """Kills every process below this one; how many there were."""
    parents = _parents()
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    left = [pid for pid in ours - {os.getpid()} if not _is_shared(pid)]
    for pid in left:
        _send(pid, signal.SIGKILL)
    return len(left)


class Printer:
    """Prints the lines of all processes, each behind its name."""

    def __init__(self, names: Iterable[str]) -> None:
        self.width = max(len(name) for name in names)
        self.colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.partial: dict[str, bytes] = {}
        self.colour_of: dict[str, int] = {}

    def say(self, name: str, line: str) -> None:
        label = f"{name:{self.width}} |"
        if self.colours:
            number = self.colour_of.setdefault(name, COLOURS[len(self.colour_of) % len(COLOURS)])
            label = f"\x1b[{number}m{label}\x1b[0m"
        self._write(f"{label} {line}\n".encode(errors="replace"))

    def _write(self, data: bytes) -> None:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError:
            # Whoever read our output is gone (`make up | head`); the work goes on.
            return

    def feed(self, name: str, data: bytes) -> None:
        """Takes output as it comes; an empty piece is its end."""
        *lines, rest = (self.partial.pop(name, b"") + data).split(b"\n")
        if rest and (not data or len(rest) > LONGEST_LINE):
            lines, rest = [*lines, rest], b""
        self.partial[name] = rest
        for line in lines:
            self.say(name, line.decode(errors="replace").rstrip("\r"))


def read_output(process: Process, printer: Printer, selector: selectors.BaseSelector) -> None:
    assert process.output is not None
    data = os.read(process.output.fileno(), 65536)
    printer.feed(process.name, data)
    if not data:
        selector.unregister(process.output)
        process.output.close()
        process.output = None
