"""The forked process: loads the function, calls it for each item, reports. The only code that opens a pickle."""

import contextlib
import ctypes
import errno
import fcntl
import gc
import io
import json
import logging
import mmap
import os
import resource
import signal
import sys
import termios
import time
import traceback
import types
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from worker.inside.frames import Buffer
from worker.inside.run import (
    BAD_RESULT,
    ERROR_LIMIT,
    EXCEPTION,
    EXITED,
    MAGIC,
    OK,
    OUT_OF_DISK,
    REPORT,
    SKIP,
    STATE,
    Item,
    Pipes,
    Run,
)

# What a write says when the scratch space or a file in it has reached its limit.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

log_descriptor = -1
log_format = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


def capture_logging() -> None:
    """Copy every record that a logger lets through; what the job does with handlers stays as it is."""
    original = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        if log_descriptor >= 0:
            # A record that cannot be formatted is reported by the job's own handlers.
            with contextlib.suppress(Exception):
                write_all(log_descriptor, (log_format.format(record) + "\n").encode("utf-8", "backslashreplace"))
        original(self, record)

    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]


def write_all(descriptor: int, data: Buffer) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def look_like_a_script() -> None:
    """What a job sees of the interpreter; done once, so that a forked child finds it ready."""
    open_streams()
    sys.argv = ["picloud"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    for name in [name for name in sys.modules if name.partition(".")[0] == "worker"]:
        del sys.modules[name]


def open_streams() -> None:
    """Line by line, so that output is seen as it comes."""
    sys.stdout = sys.__stdout__ = open_stream(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = open_stream(2)  # type: ignore[misc]


def open_stream(descriptor: int) -> io.TextIOWrapper:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


class Codec:
    """Pickling, imported here only because this object lives in the sandbox alone."""

    def __init__(self) -> None:
        import pickle

        import cloudpickle

        self.pickle, self.cloudpickle = pickle, cloudpickle
        self.sample: bytes = cloudpickle.dumps(lambda number: number)

    def loads(self, data: Buffer) -> Any:
        return self.pickle.loads(data)

    def dumps(self, value: object) -> bytes:
        """Plain pickle, which is fast, or cloudpickle for what only that can take."""
        try:
            blob: bytes = self.pickle.dumps(value, 5)
        except Exception:
            blob = self.cloudpickle.dumps(value, 5)
        return blob

    def dump_exception(self, error: BaseException, limit: int) -> bytes:
        """The exception if it survives the way there and back, else a built-in one that stands for it."""
        with contextlib.suppress(Exception):
            blob = self.dumps(error)
            if len(blob) <= limit and isinstance(self.loads(blob), BaseException):
                return blob
        text = f"{type(error).__name__}: {safe_text(error)}"[:ERROR_LIMIT]
        for base in type(error).__mro__:
            if base.__module__ == "builtins":
                with contextlib.suppress(Exception):
                    blob = self.dumps(base(text))
                    self.loads(blob)
                    return blob
        return self.dumps(RuntimeError(text))

    def path_of_bad(self, value: object, path: str = "result") -> str:
        """Where inside a value the part is that cannot be pickled, and what it is."""
        for _ in range(20):
            for step, part in islice(parts_of(value), 10_000):
                if not self.can_dump(part):
                    path, value = path + step, part
                    break
            else:
                break
        return f"{path} is a {type(value).__qualname__}"

    def can_dump(self, value: object) -> bool:
        try:
            self.dumps(value)
        except Exception:
            return False
        return True


def parts_of(value: object) -> Iterator[tuple[str, object]]:
    """What a container or an object is made of, each with the way to it in Python's notation."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield f"[{safe_repr(key)}]", part
    elif isinstance(value, list | tuple | deque):
        for index, part in enumerate(value):
            yield f"[{index}]", part
    elif isinstance(value, set | frozenset):
        for part in value:
            yield "{...}", part
    else:
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            for name, part in attributes.items():
                yield f".{name}", part


def safe_text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<its text could not be made>"


def safe_repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        return "<unprintable>"
    return text if len(text) <= 100 else text[:100] + "..."


def traceback_of(error: BaseException) -> str:
    """The traceback as Python prints it, from the job's first frame on, cut in the middle when long."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except Exception:
        text = f"{type(error).__name__}: {safe_text(error)}\n"
    if len(text) > ERROR_LIMIT:
        half = ERROR_LIMIT // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
    return text


def use_modules(modules: list[tuple[str, str]]) -> None:
    """Find the modules that were sent along before those of the environment, in programs started from here too."""
    paths = [path for path, _ in modules]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    # For a client in here, which sends them on with what it submits.
    os.environ["PICLOUD_MODULES"] = json.dumps(modules)


def import_help(error: BaseException, run: Run) -> str:
    """What to know about an import that failed; nothing when something else did."""
    if not isinstance(error, ImportError):
        return ""
    what = f"Module {error.name!r}" if error.name else "A module"
    sent = ", ".join(name for _, name in run.modules) or "nothing"
    return (
        f"{what} could not be imported in environment {run.environment or 'base'}. Sent along: {sent}. "
        "cloud.explain(function) shows what is sent and why.\n"
    )


class Outcome(NamedTuple):
    kind: int
    blob: bytes = b""
    error: str = ""


class Child:
    """The forked process."""

    def __init__(self, *, state: mmap.mmap, pipes: Pipes, codec: Codec, libc: ctypes.CDLL, home: str) -> None:
        global log_descriptor
        self.state, self.pipes, self.codec, self.libc, self.home = state, pipes, codec, libc, home
        self.pid = os.getpid()
        self.function: Any = None
        self.inodes = [os.fstat(writer).st_ino for writer in pipes.writers[:2]]
        self.user = self.system = 0.0
        self.waited_for = (0.0, 0.0)  # s, user and system, of processes the job waited for
        self.unread = bytearray(4)
        self.c_stdout = ctypes.c_void_p.in_dll(libc, "stdout")
        pipes.keep_writers()
        log_descriptor = pipes.writers[2]
        self.take_streams()
        gc.enable()

    def take_streams(self, *, anew: bool = False) -> None:
        for descriptor in (1, 2):
            os.dup2(self.pipes.writers[descriptor - 1], descriptor)
        if anew:
            open_streams()
        self.stdout, self.stderr = sys.stdout, sys.stderr

    def warm_up(self) -> None:
        """Do once what every run does: memory shared with the parent is copied at this time, not at that."""
        arguments = self.codec.dumps(((1,), {}))
        header = {"run": 0, "result_limit": 1000, "function": len(self.codec.sample), "items": [[0, 0, len(arguments)]]}
        self.run = Run(json.loads(json.dumps(header)), self.codec.sample + arguments)
        self.cwd = self.home
        self.enter_cwd()
        assert self.outcome_of(self.run.items[0]).kind == OK
        self.settle_streams(wait=False)
        self.pack_report(0, 0, Outcome(OK))
        self.function = None
        os.environ["PICLOUD_JOB_TOKEN"] = os.environ["PICLOUD_JID"] = ""

    def main(self, run: Run, *, first: int, stop: int) -> None:
        self.run, self.cwd = run, run.cwd or self.home
        os.environ.update(run.env)
        os.environ["PICLOUD_JOB_TOKEN"] = run.token
        if run.modules:
            use_modules(run.modules)
        self.user, self.system, _ = self.usage(with_children=False)
        for index in range(first, stop):
            STATE.pack_into(self.state, 0, index, 0)
            # In this order: whoever asks to stop sets the byte first and looks at the index afterwards.
            if not self.state[SKIP + index]:
                self.run_item(index, is_last=index + 1 == stop)
        STATE.pack_into(self.state, 0, stop, 0)

    def run_item(self, index: int, *, is_last: bool) -> None:
        item = self.run.items[index]
        begun = time.monotonic_ns()
        STATE.pack_into(self.state, 0, index, begun)
        os.environ["PICLOUD_JID"] = str(item.jid)
        self.enter_cwd()
        outcome = self.outcome_of(item)
        if os.getpid() != self.pid:
            # A fork that the job made has come back through its call. It is not the one we listen to.
            self.settle_streams(wait=False)
            os._exit(0)
        signal.alarm(0)
        self.settle_streams(wait=not is_last)
        self.report(index, begun, outcome)

    def enter_cwd(self) -> None:
        """Home, unless the run wants another place and it exists here."""
        try:
            os.chdir(self.cwd)
        except OSError:
            self.cwd = self.home
            os.chdir(self.home)

    def outcome_of(self, item: Item) -> Outcome:
        """Call the function and pickle what it returns or raises. Whatever the job does, this returns."""
        try:
            if self.function is None:
                self.function = self.codec.loads(self.run.function)
            args, kwargs = self.codec.loads(item.arguments)
            value = self.function(*args, **kwargs)
        except SystemExit as error:
            return Outcome(EXITED, error=f"The job called sys.exit({safe_repr(error.code)}).")
        except BaseException as error:
            return self.outcome_of_exception(error)
        return self.outcome_of_value(value)

    def outcome_of_exception(self, error: BaseException) -> Outcome:
        kind = OUT_OF_DISK if isinstance(error, OSError) and error.errno in NO_ROOM else EXCEPTION
        text = traceback_of(error) + import_help(error, self.run)
        return Outcome(kind, self.codec.dump_exception(error, self.run.result_limit), text)

    def outcome_of_value(self, value: object) -> Outcome:
        limit = self.run.result_limit
        try:
            blob = self.codec.dumps(value)
        except BaseException as error:
            where = self.codec.path_of_bad(value)
            text = f"The result cannot be pickled: {where}. {type(error).__name__}: {safe_text(error)}"
            return Outcome(BAD_RESULT, error=text[:ERROR_LIMIT])
        if len(blob) > limit:
            return Outcome(
                BAD_RESULT,
                error=f"The result is {len(blob):,} bytes pickled, over the limit of {limit:,}. "
                "Store it with cloud.files.putf and return its name.",
            )
        return Outcome(OK, blob)

    def settle_streams(self, *, wait: bool) -> None:
        """Flush what the item printed; before another one begins, wait until the parent has taken it as this one's."""
        self.libc.fflush(self.c_stdout)
        try:
            self.stdout.flush()
            self.stderr.flush()
            intact = all(os.fstat(fd).st_ino == inode for fd, inode in zip((1, 2), self.inodes, strict=True))
        except (OSError, ValueError):
            intact = False
        if not intact or sys.stdout is not self.stdout or sys.stderr is not self.stderr:
            self.take_streams(anew=True)
        deadline = time.monotonic() + 5
        pause = 0.0
        while wait and self.has_unread() and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(0.001, pause + 0.00005)

    def has_unread(self) -> bool:
        for writer in self.pipes.writers[:3]:
            fcntl.ioctl(writer, termios.FIONREAD, self.unread)
            if any(self.unread):
                return True
        return False

    def report(self, index: int, begun: int, outcome: Outcome) -> None:
        write_all(self.pipes.writers[3], self.pack_report(index, begun, outcome))

    def pack_report(self, index: int, begun: int, outcome: Outcome) -> bytes:
        run_us = (time.monotonic_ns() - begun) // 1000
        user, system, peak = self.usage(with_children=run_us > 1000)
        user_us, system_us = int((user - self.user) * 1e6), int((system - self.system) * 1e6)
        self.user, self.system = user, system
        error = outcome.error.encode("utf-8", "backslashreplace")
        sizes = len(outcome.blob), len(error)
        figures = run_us, max(user_us, 0), max(system_us, 0), peak
        return REPORT.pack(MAGIC, index, outcome.kind, *sizes, *figures) + outcome.blob + error

    def usage(self, *, with_children: bool) -> tuple[float, float, int]:
        """Seconds of user and system time and the peak in bytes, of this process and the ones it waited for."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        if not with_children:
            return own.ru_utime + self.waited_for[0], own.ru_stime + self.waited_for[1], own.ru_maxrss * 1024
        others = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.waited_for = others.ru_utime, others.ru_stime
        peak = max(own.ru_maxrss, others.ru_maxrss) * 1024
        return own.ru_utime + others.ru_utime, own.ru_stime + others.ru_stime, peak
