"""Makes the children of a runner; one of them ahead of time, so that a short call need not wait for its fork."""

import contextlib
import ctypes
import json
import mmap
import os
import signal
import struct
import traceback
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from worker.inside.child import Child, Codec
from worker.inside.forked import Forked
from worker.inside.run import SKIP, STATE, Pipes, Run

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
# What is handed to a child that is there already; larger runs fork a new one, which inherits them.
MAIL_BYTES = 1 << 20
MAIL_ITEMS = 1000
MAIL = struct.Struct("<II")


class Spare(NamedTuple):
    pid: int
    pipes: Pipes
    bell: int  # written to when there is mail


class Nursery:
    """Forks children, and takes from them what is their parent's."""

    def __init__(self, *, state: mmap.mmap, home: str, libc: ctypes.CDLL) -> None:
        self.state, self.home, self.libc = state, home, libc
        self.codec = Codec()
        self.mailbox = mmap.mmap(-1, MAIL_BYTES)
        self.private: list[int] = []  # descriptors of the parent that no child may keep
        self.spare: Spare | None = None

    def fork(self, run: Run, *, first: int, stop: int) -> Forked:
        """A child that runs these items; raises OSError when there can be no more processes."""
        STATE.pack_into(self.state, 0, -1, 0)
        self.state[SKIP : SKIP + len(run.items)] = bytes(index in run.stopped for index in range(len(run.items)))
        spare, self.spare = self.spare, None
        if spare and self.send_mail(spare, run, first=first, stop=stop):
            return Forked(pid=spare.pid, first=first, stop=stop, pipes=spare.pipes)
        if spare:
            self.drop(spare)
        pipes = Pipes()
        pid = self.fork_for(pipes, lambda child: child.main(run, first=first, stop=stop))
        return Forked(pid=pid, first=first, stop=stop, pipes=pipes)

    def fork_for(self, pipes: Pipes, work: Callable[[Child], None], *private: int) -> int:
        try:
            pid = os.fork()
        except OSError:
            pipes.close_all()
            raise
        if pid == 0:
            self.become_child(pipes, work, *private)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        pipes.close_writers()
        return pid

    def become_child(self, pipes: Pipes, work: Callable[[Child], None], *private: int) -> NoReturn:
        status = 70
        try:
            self.drop_privates(*private)
            child = Child(state=self.state, pipes=pipes, codec=self.codec, libc=self.libc, home=self.home)
            work(child)
            status = 0
        except BaseException:
            # Nothing may get past a fork.
            traceback.print_exc()
        finally:
            os._exit(status)

    def drop_privates(self, *private: int) -> None:
        """In the child: give up what belongs to the parent, and be the first to go when memory runs out."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in (*self.private, *private):
            os.close(descriptor)
        self.libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        self.libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, b"1000")
        os.close(descriptor)

    # The child ahead of time.

    def prepare_spare(self) -> bool:
        """Have a child ready that waits for mail; answers whether one was made.

        Without one, the next run forks by itself.
        """
        if self.spare:
            return False
        listen, bell = os.pipe2(os.O_CLOEXEC)
        pipes = Pipes()
        with contextlib.suppress(OSError):
            pid = self.fork_for(pipes, lambda child: self.await_mail(child, listen), bell)
            self.spare = Spare(pid, pipes, bell)
        os.close(listen)
        if not self.spare:
            os.close(bell)
        return self.spare is not None

    def await_mail(self, child: Child, listen: int) -> None:
        child.warm_up()
        sizes = os.read(listen, MAIL.size)
        os.close(listen)
        if len(sizes) == MAIL.size:
            middle, size = MAIL.unpack(sizes)
            mail = json.loads(self.mailbox[:middle])
            run = Run(mail["header"], self.mailbox[middle : middle + size])
            child.main(run, first=mail["first"], stop=mail["stop"])

    def send_mail(self, spare: Spare, run: Run, *, first: int, stop: int) -> bool:
        """Hand the run over; False when it is too large, or the spare has died meanwhile."""
        if len(run.items) > MAIL_ITEMS or len(run.payload) > MAIL_BYTES // 2:
            return False
        head = json.dumps({"header": run.header, "first": first, "stop": stop}).encode()
        end = len(head) + len(run.payload)
        if end > MAIL_BYTES:
            return False
        self.mailbox[:end] = head + run.payload
        try:
            os.write(spare.bell, MAIL.pack(len(head), len(run.payload)))
        except BrokenPipeError:
            return False
        os.close(spare.bell)
        return True

    def note_end(self, pid: int) -> None:
        if self.spare and self.spare.pid == pid:
            spare, self.spare = self.spare, None
            self.close(spare)

    def drop(self, spare: Spare) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(spare.pid, signal.SIGKILL)
        self.close(spare)

    def close(self, spare: Spare) -> None:
        for descriptor in (spare.bell, *spare.pipes.readers):
            os.close(descriptor)
