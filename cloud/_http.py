"""A small HTTP/1.1 client: kept-alive connections, one send per request, Unix sockets."""

import os
import select
import socket
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from cloud._answers import Answer

CONNECT_SECONDS = 10.0
_JOIN_BELOW = 256 * 1024
_MOST_IDLE = 16

Body = bytes | Iterable[bytes]


class Address(NamedTuple):
    """What a URL says about where to connect."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """The address in a http://, https:// or http+unix:// URL; ValueError says what is wrong with it."""
        parts = urlsplit(url)
        if parts.scheme == "http+unix":
            return cls(parts.scheme, unquote(parts.netloc + parts.path), 0, "")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{url!r} is not the address of a server: it starts with http://, https:// or http+unix://"
            )
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        if self.scheme == "http+unix":
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (80, 443) else f"{host}:{self.port}"


class NotConnected(OSError):
    """No connection could be made, so the request cannot have been carried out."""


class Response(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One kept-alive connection, used by one request at a time."""

    def __init__(self, address: Address) -> None:
        self._sock = _connect(address)
        self._reader = self._sock.makefile("rb")

    def is_stale(self) -> bool:
        """Whether the server hung up while the connection lay idle: an idle one has nothing to read."""
        poller = select.poll()
        poller.register(self._sock, select.POLLIN)
        return bool(poller.poll(0))

    def send(self, method: str, head: bytes, body: Body, *, timeout: float) -> Answer:
        """Send a request and read the answer's head."""
        self._sock.settimeout(timeout)
        try:
            self._write(head, body)
        except (BrokenPipeError, ConnectionResetError):
            # A server may refuse before it has read a long body: its answer tells more than the broken pipe.
            with suppress(OSError):
                answer = Answer(self._reader, method=method)
                answer.can_go_on = False
                return answer
            raise
        return Answer(self._reader, method=method)

    def _write(self, head: bytes, body: Body) -> None:
        if isinstance(body, bytes) and len(body) < _JOIN_BELOW:
            # One packet for a small request: two would wait for each other's acknowledgement.
            self._sock.sendall(head + body)
            return
        self._sock.sendall(head)
        for part in (body,) if isinstance(body, bytes) else body:
            self._sock.sendall(part)

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._sock.close()


class Pool:
    """Idle connections of this process, by address; safe between threads, empty after a fork."""

    def __init__(self) -> None:
        self._idle: dict[Address, deque[Connection]] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._idle.clear)

    def take(self, address: Address, *, fresh: bool = False) -> Connection:
        """A connection for one request, an idle one unless it is to be fresh; NotConnected when none can be made."""
        idle = None if fresh else self._idle.get(address)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                break
            if not connection.is_stale():
                return connection
            connection.close()
        try:
            return Connection(address)
        except OSError as problem:
            raise NotConnected(str(problem)) from problem

    def has(self, address: Address) -> bool:
        """Whether an idle connection is at hand."""
        return bool(self._idle.get(address))

    def give_back(self, address: Address, connection: Connection, answer: Answer) -> None:
        """Keep the connection for the next request if its answer was read to the end."""
        if not (answer.can_go_on and answer.is_whole):
            connection.close()
            return
        idle = self._idle.setdefault(address, deque())
        if len(idle) < _MOST_IDLE:
            idle.append(connection)
        else:
            connection.close()


def request_head(address: Address, method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request line and its headers; ValueError when one could smuggle in another."""
    lines = [f"{method} {address.path}{path} HTTP/1.1", f"Host: {address.host_header}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a request header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _connect(address: Address) -> socket.socket:
    if address.scheme == "http+unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(address.host)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.scheme == "https":
        # Imported where it is needed: most servers at home and in a job are reached without it.
        import ssl  # noqa: PLC0415

        return ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
    return sock
