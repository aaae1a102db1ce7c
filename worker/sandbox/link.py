"""The socket between a worker and the runner of its sandbox. Exactly one connection is ever accepted on it."""

import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from worker.inside.frames import BadFrame, Buffer, FrameReader, Header, pack_frame

NAME = "worker.sock"
START_SECONDS = 30
MAX_FRAME = 512 * 1024 * 1024
# A runner that takes nothing for so long is lost: it reads at all times.
SEND_SECONDS = 30
KILL_SECONDS = 2
PEER = struct.Struct("3i")


class SandboxLost(Exception):
    """The sandbox has ended by itself, or cannot be talked with any more."""


class Link:
    """One end of the conversation."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listener: socket.socket | None = None
        self._socket: socket.socket | None = None
        self._frames = FrameReader(MAX_FRAME)
        self.peer_pid = 0
        # Names this very process for ever, where its number may come to name another one.
        self._peer: int | None = None

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # By way of the descriptor, because the address of a socket may have 107 bytes only.
            self._listener.bind(f"/proc/self/fd/{directory}/{NAME}")
        finally:
            os.close(directory)
        (self._directory / NAME).chmod(0o666)
        self._listener.listen(1)

    def accept(self, why_dead: Callable[[], str]) -> Header:
        """Wait for the runner and its hello; `why_dead` is asked now and then whether there is any hope."""
        assert self._listener is not None
        deadline = time.monotonic() + START_SECONDS
        while not select.select([self._listener], [], [], 0.5)[0]:
            reason = why_dead()
            if not reason and time.monotonic() > deadline:
                reason = f"it did not answer within {START_SECONDS} seconds"
            if reason:
                raise SandboxLost(f"The sandbox did not start: {reason}")
        self._socket, _ = self._listener.accept()
        (self._directory / NAME).unlink()
        self._listener.close()
        self._socket.setblocking(False)  # noqa: FBT003
        # The runner's process id as this side of the wall counts, told by the kernel.
        self.peer_pid = PEER.unpack(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))[0]
        hello = self._hello(deadline)
        self._peer = os.pidfd_open(self.peer_pid)
        return hello

    def _hello(self, deadline: float) -> Header:
        while time.monotonic() < deadline:
            if select.select([self], [], [], 0.2)[0]:
                for header, _ in self.receive():
                    return header
        raise SandboxLost("The sandbox did not start: its runner said nothing")

    def fileno(self) -> int:
        return self._connected().fileno()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise SandboxLost("the sandbox is not running")
        return self._socket

    def send(self, header: Header, *payload: Buffer) -> None:
        try:
            for data in pack_frame(header, *payload):
                self._send_all(memoryview(data))
        except OSError as error:
            raise SandboxLost(f"its runner takes nothing any more ({error})") from error

    def _send_all(self, data: memoryview) -> None:
        connection = self._connected()
        while data:
            try:
                data = data[connection.send(data) :]
            except BlockingIOError:
                if not select.select([], [connection], [], SEND_SECONDS)[1]:
                    raise TimeoutError(f"nothing for {SEND_SECONDS} s") from None

    def receive(self) -> Iterator[tuple[Header, bytes]]:
        try:
            data = self._connected().recv(1 << 20)
        except BlockingIOError:
            return
        except OSError as error:
            raise SandboxLost(f"the connection broke ({error})") from error
        if not data:
            raise SandboxLost("its runner has ended")
        self._frames.feed(data)
        try:
            while frame := self._frames.next():
                if frame[0]["op"] == "failed":
                    raise SandboxLost(f"its runner failed: {frame[0].get('error')}")
                yield frame
        except BadFrame as error:
            raise SandboxLost(f"its runner broke the protocol: {error}") from error

    def is_alive(self) -> bool:
        """Whether the runner is still there, as far as its end of the connection tells."""
        if self._socket is None:
            return False
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def kill_peer(self) -> bool:
        """Kill the runner and wait for its end; False when that is not ours to do, or it never answered."""
        if self._peer is None:
            return False
        try:
            signal.pidfd_send_signal(self._peer, signal.SIGKILL)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return bool(select.select([self._peer], [], [], KILL_SECONDS)[0])

    def close(self) -> None:
        if self._peer is not None:
            os.close(self._peer)
            self._peer = None
        for end in (self._listener, self._socket):
            if end is not None:
                end.close()
        self._listener = self._socket = None
