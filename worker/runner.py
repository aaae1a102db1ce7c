"""PID 1 of a sandbox: takes runs from the worker, forks a child for each, reports what came of them.

Steps of a run: fork; in the child load the function, then each item in turn: arguments, call, result;
in the parent stream what the child prints, forward outcomes, and when the child has ended kill what it
left behind and empty its scratch space. One thread, one loop, never blocked by a job. Needs nothing but
the standard library and cloudpickle.
"""

import contextlib
import ctypes
import fcntl
import gc
import json
import mmap
import os
import resource
import select
import signal
import socket
import sys
import termios
import time
import traceback
from collections import deque
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from worker.inside.child import capture_logging, look_like_a_script
from worker.inside.forked import Forked, Report, crash_of, joined, outcomes_json, signal_group
from worker.inside.frames import FRAME, BadFrame, Buffer, FrameReader, Header, pack_frame
from worker.inside.nursery import PR_SET_DUMPABLE, Nursery
from worker.inside.run import ERROR_LIMIT, MAX_ITEMS, OK, SKIP, STATE, STREAMS, Run
from worker.inside.scratch import empty_directory, remove_shared_memory
from worker.inside.unpack import Order, unpack_apart

CHUNK = 65_536  # bytes of output in one frame
BACKLOG = 1_000_000  # bytes waiting for the worker from which on nothing more is read of the job
# s that outcomes are gathered: those of very short items fill their pipe soon, few others are worth a message.
COALESCE, COALESCE_FEW = 0.005, 0.05
FEW = 20
TICK = 0.03  # s until a running item is announced
# A run as the worker sends it: one function, one item.
SAMPLE = {"op": "run", "run": 0, "result_limit": 0, "function": 1, "items": [[1, 1, 1]]}
PR_SET_CHILD_SUBREAPER = 36


class Options(NamedTuple):
    """How the worker started us."""

    socket: str
    home: str
    scratch: list[str]  # emptied after each run, besides home and inbox
    modules: str  # where the worker puts archives and unpacked modules
    inbox: str  # where we unpack
    isolated: bool  # whether every process in sight is ours to kill
    file_limit: int  # bytes of one file; 0: none


class Runner:
    """The parent."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.state = mmap.mmap(-1, SKIP + MAX_ITEMS)
        self.runs: deque[Run] = deque()
        self.run: Run | None = None
        self.next_item = 0
        self.child: Forked | None = None
        self.frames = FrameReader()
        self.outgoing: deque[memoryview] = deque()
        self.backlog = 0
        self.unread = bytearray(4)

    # Starting.

    def prepare(self) -> None:
        """Everything that is done once, so that a fork has nothing left to do."""
        self.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # jobs share our uid: they must not trace or read us
        self.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.nursery = Nursery(state=self.state, home=self.options.home, libc=self.libc)
        capture_logging()
        look_like_a_script()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.options.file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.options.file_limit, self.options.file_limit))
        self.handle_signals()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.options.socket)
        self.socket.setblocking(False)
        self.nursery.private = [self.socket.fileno(), self.wake, self.wake_writer]
        self.empty_scratch()
        gc.collect()
        gc.freeze()
        gc.disable()

    def handle_signals(self) -> None:
        self.wake, self.wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self.wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not self.options.isolated:
            signal.signal(signal.SIGTERM, lambda *_: self.leave())

    def serve(self) -> NoReturn:
        self.prepare()
        self.send({"op": "hello", "pid": os.getpid(), "python": f"{sys.version_info[0]}.{sys.version_info[1]}"})
        try:
            while True:
                self.advance()
                self.wait()
        except Exception:
            # Ours, not the job's: the worker must learn of it and start a new sandbox.
            self.socket.setblocking(True)
            self.send({"op": "failed", "error": traceback.format_exc()[-ERROR_LIMIT:]})
            self.leave()

    def leave(self) -> NoReturn:
        """End at once, with everything that the sandbox holds."""
        with contextlib.suppress(OSError):
            self.kill_leftovers()
        os._exit(0)

    # Talking with the worker.

    def send(self, header: Header, *payload: Buffer) -> None:
        self.send_buffers(pack_frame(header, *payload))

    def send_buffers(self, buffers: list[Buffer]) -> None:
        for data in buffers:
            if len(data):
                self.outgoing.append(memoryview(data))
                self.backlog += len(data)
        self.flush()

    def flush(self) -> None:
        while self.outgoing:
            try:
                sent = self.socket.sendmsg(list(islice(self.outgoing, 64)))
            except BlockingIOError:
                return
            except OSError:
                self.leave()
            self.backlog -= sent
            while sent:
                head = self.outgoing.popleft()
                if sent < len(head):
                    self.outgoing.appendleft(head[sent:])
                    break
                sent -= len(head)

    def receive(self) -> None:
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            self.leave()
        if not data:
            self.leave()
        self.frames.feed(data)
        while frame := self.frames.next():
            self.handle(*frame)

    def handle(self, header: Header, payload: bytes) -> None:
        if header["op"] == "run":
            self.runs.append(Run(header, payload))
        elif header["op"] == "stop":
            self.stop(set(header["jobs"]))
        elif header["op"] == "unpack":
            self.unpack(header)
        elif header["op"] == "exit":
            self.leave()
        else:
            raise BadFrame(f"unknown op {header['op']!r}")

    def unpack(self, header: Header) -> None:
        """Unpack an archive of modules while nothing runs, and tell the worker what came of it."""
        name, limits = header["digest"], (header["most_bytes"], header["most_files"])
        order = Order(f"{self.options.modules}/{name}.zip", self.options.inbox, name, *limits)
        problem = unpack_apart(order, drop_privates=self.nursery.drop_privates)
        self.send({"op": "unpacked", "digest": name, "error": problem})

    # Runs.

    def advance(self) -> None:
        """Fork for the next items, announce the end of a run, or take up the next run."""
        while self.child is None:
            if self.run is None:
                if not self.runs:
                    if self.nursery.prepare_spare():
                        self.touch()
                    return
                self.run, self.next_item = self.runs.popleft(), 0
            run = self.run
            while self.next_item in run.stopped:
                self.next_item += 1
            if self.next_item < len(run.items):
                self.fork(run)
            else:
                self.run = None
                self.send({"op": "idle", "run": run.number})

    def touch(self) -> None:
        """Go the way of a run once: memory shared with the new spare is copied now, not while a job waits for it."""
        frames = FrameReader()
        frames.feed(b"".join(pack_frame(SAMPLE, b"fx")))
        while frame := frames.next():
            run = Run(*frame)
            json.dumps({"header": run.header, "first": 0, "stop": 1})
            outcomes_json([run.items[0].job], [Report(0, OK, b"", "", 1, 1, 1, 1)])

    def fork(self, run: Run) -> None:
        first = self.next_item
        stop = first + 1 if run.fork_each else len(run.items)
        try:
            self.child = self.nursery.fork(run, first=first, stop=stop)
        except OSError as error:
            self.next_item += 1
            text = f"The sandbox could not start a process for the job: {error.strerror}."
            self.send_crash(run, first, {"reason": "crashed", "error": text})

    # The loop.

    def wait(self) -> None:
        """Sleep until something happens, and handle it."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | (select.POLLOUT if self.outgoing else 0))
        poll.register(self.wake, select.POLLIN)
        now = time.monotonic()
        names = self.pipes_to_read(now)
        for fd in names:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(self.timeout(now)):
            if fd == self.wake:
                self.reap()
            elif fd == self.socket.fileno():
                self.receive()
                self.flush()
            elif self.child:
                self.read(self.child, names[fd])
        if self.child:
            self.look_after(self.child)

    def pipes_to_read(self, now: float) -> dict[int, str]:
        """Nothing while the worker is behind: a job that prints faster than it is read has to wait."""
        child = self.child
        if child is None or self.backlog >= BACKLOG:
            return {}
        return {fd: name for name, fd in child.readers.items() if name != "reports" or now >= child.listen_at}

    def timeout(self, now: float) -> float | None:
        """Milliseconds until the clock alone gives something to do."""
        child = self.child
        if child is None:
            return None
        moments = []
        if child.kill_at:
            moments.append(child.kill_at[0])
        if child.listen_at > now and self.backlog < BACKLOG:
            moments.append(child.listen_at)
        if child.announced < self.current(child):
            moments.append(now + TICK)
        return max(0.0, (min(moments) - now) * 1000) if moments else None

    def current(self, child: Forked) -> int:
        """The item that the child is on; before it says so, its first."""
        index: int = STATE.unpack_from(self.state)[0]
        return max(child.first, min(index, child.stop - 1))

    def look_after(self, child: Forked) -> None:
        if child.broken and child.status is None:
            os.kill(child.pid, signal.SIGKILL)
        if child.kill_at and time.monotonic() >= child.kill_at[0]:
            self.end_item(child, child.kill_at[1], signal.SIGKILL)
        self.announce(child)
        if child.status is not None:
            self.finish_child(child)

    def announce(self, child: Forked) -> None:
        """Tell the worker which item runs, once it has run for a while."""
        index, begun = STATE.unpack_from(self.state)
        if self.run and begun and child.announced < index < child.stop:
            age = time.monotonic_ns() - begun
            if age >= TICK * 0.9e9:
                child.announced = index
                job = self.run.items[index].job
                self.send({"op": "started", "run": self.run.number, "job": job, "age_ms": age // 1_000_000})

    def reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                self.note_end(pid, status)

    def note_end(self, pid: int, status: int) -> None:
        if self.child and pid == self.child.pid:
            self.child.status = status
        self.nursery.note_end(pid)

    # What comes from the child.

    def read(self, child: Forked, name: str) -> bool:
        """Take what is there of one pipe; False when nothing was."""
        if name not in child.readers:
            return False
        # The index first: while there is something unread, the child stays on the item that printed it.
        index = self.current(child)
        try:
            data = os.read(child.readers[name], CHUNK if name != "reports" else 1 << 20)
        except BlockingIOError:
            return False
        if not data:
            child.close(name)
        elif name == "reports":
            self.take_reports(child, data)
        elif self.run:
            self.send({"op": "output", "job": self.run.items[index].job, "stream": name}, data)
        return bool(data)

    def take_reports(self, child: Forked, data: bytes) -> None:
        # What an item printed goes ahead of its outcome.
        for name in STREAMS:
            if self.has_unread(child, name):
                self.read(child, name)
        reports = child.take_reports(data)
        # Gather the next ones, unless results are so large that they fill the pipe. The last ones are read at once.
        pause = COALESCE if len(reports) > FEW else COALESCE_FEW
        child.listen_at = 0.0 if len(data) > CHUNK // 2 or child.buffer else time.monotonic() + pause
        if reports and self.run:
            self.send_reports(self.run, reports)

    def has_unread(self, child: Forked, name: str) -> bool:
        if name not in child.readers:
            return False
        fcntl.ioctl(child.readers[name], termios.FIONREAD, self.unread)
        return any(self.unread)

    def send_reports(self, run: Run, reports: list[Report]) -> None:
        outcomes = outcomes_json([run.items[report.place].job for report in reports], reports)
        head = f'{{"op":"outcomes","run":{run.number},"outcomes":{outcomes}}}'.encode()
        body = joined(reports)
        self.send_buffers([FRAME.pack(len(head), sum(map(len, body))) + head, *body])

    def send_crash(self, run: Run, index: int, cause: dict[str, object]) -> None:
        begun = STATE.unpack_from(self.state)[1]
        figures: dict[str, Any] = {"run_ms": 0.0, "user_ms": 0.0, "system_ms": 0.0, "max_rss": 0}
        if begun:
            figures["run_ms"] = (time.monotonic_ns() - begun) // 1000 / 1000
        outcome = {"job": run.items[index].job, "ok": False, "size": 0, "exception": False, **figures, **cause}
        self.send({"op": "outcomes", "run": run.number, "outcomes": [outcome]})

    # The end of a child.

    def finish_child(self, child: Forked) -> None:
        """Everything of it is dead or killed: take the rest of its words, blame the item it died on, clean up."""
        self.kill_leftovers()
        for name in (*STREAMS, "reports"):
            while self.read(child, name):
                pass
        for name in list(child.readers):
            child.close(name)
        if self.run:
            self.next_item = self.blame(child, self.run)
        self.child = None
        self.empty_scratch()

    def blame(self, child: Forked, run: Run) -> int:
        """Report the item that a child died on, if it did; returns the item to go on with.

        What the child shows of itself lies in memory that a job could write to: it is believed as far as it
        agrees with the reports.
        """
        index: int
        index, begun = STATE.unpack_from(self.state)
        owed = next((n for n in range(child.reported + 1, child.stop) if n not in run.stopped), child.stop)
        if index > owed:
            index, begun = owed, 1
        if index >= child.stop:
            return child.stop
        index = max(index, child.first)
        if index <= child.reported:
            return child.reported + 1
        if not begun and index in run.stopped:
            return index + 1
        if not begun and index > child.first:
            return index
        cause = crash_of(os.waitstatus_to_exitcode(child.status or 0), stopped=index in run.stopped)
        self.send_crash(run, index, cause | ({"error": child.broken} if child.broken else {}))
        return index + 1

    def kill_leftovers(self) -> None:
        """Kill every process of the job until there is none."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    self.kill_all()
                    pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self.note_end(pid, status)

    def kill_all(self) -> None:
        if self.options.isolated:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            return
        # Orphans come to us as the subreaper, so killing direct children again and again reaches all.
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(pid) for pid in file.read().split()]
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def empty_scratch(self) -> None:
        for path in (self.options.home, self.options.inbox, *self.options.scratch):
            empty_directory(path)
        if self.options.isolated:
            remove_shared_memory(self.libc)

    # Stopping.

    def stop(self, jobs: set[int]) -> None:
        """Leave out items that have not begun; end the one that runs."""
        for run in self.runs:
            run.stopped.update(run.indexes_of(jobs))
        if self.run is None:
            return
        indexes = self.run.indexes_of(jobs)
        self.run.stopped.update(indexes)
        for index in indexes:
            self.state[SKIP + index] = 1
        # Looked at after the bytes are set: whatever lies beyond will see its byte, and never begin.
        reached = self.current(self.child) if self.child else self.next_item - 1
        skipped = [self.run.items[index].job for index in indexes if index > reached]
        if skipped:
            self.send({"op": "skipped", "run": self.run.number, "jobs": skipped})
        if self.child and self.current(self.child) in indexes:
            index = self.current(self.child)
            if self.end_item(self.child, index, signal.SIGTERM):
                self.child.kill_at = (time.monotonic() + self.run.term_grace, index)

    def end_item(self, child: Forked, index: int, number: int) -> bool:
        """Signal the child's process group if it still is on that item; frozen meanwhile, lest another one is hit."""
        child.kill_at = None
        if not self.freeze(child):
            return False
        hit = self.current(child) == index and child.reported < index
        if hit:
            signal_group(child.pid, number)
        signal_group(child.pid, signal.SIGCONT)
        return hit

    def freeze(self, child: Forked) -> bool:
        """Stop the child's main process; False when it has ended."""
        if child.status is not None:
            return False
        os.kill(child.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
            if pid and not os.WIFSTOPPED(status):
                child.status = status
                return False
            if pid:
                return True
            time.sleep(0.0001)
        return True
