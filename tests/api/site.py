"""The whole site under uvicorn, in a thread of the tests' process and on their database."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn
from django.db import connections

from common import packs
from tests.servers import free_port
from tests.submitting import Api
from tests.waiting import wait_until


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json()["error"]["code"])

    def pack(self) -> tuple[Any, bytes]:
        """Header and body of the pack."""
        assert self.status == 200, self.body
        header, body = packs.parse(self.body)
        return header, bytes(body)


class Stream:
    """Events as a browser gets them."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer

    def next(self) -> tuple[str, Any]:
        """Name and data of the next event; comments are passed over. ("", None) at the end."""
        name = ""
        while line := self.answer.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        return "", None


class Site:
    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(
        self, method: str, path: str, body: Any = None, *, as_: Api | str | None = None, **headers: str
    ) -> Answer:
        """One request; `as_` is who asks, by key or by the text of an Authorization header."""
        connection = self.connect()
        try:
            connection.request(method, path, body, authorized(as_) | headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def results(self, as_: Api | str | None, jids: Any, **fields: Any) -> Answer:
        return self.request("POST", "/api/v1/results", json.dumps({"jids": jids, **fields}), as_=as_)

    @contextmanager
    def stream(self, path: str, cookie: str) -> Iterator[Stream]:
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Cookie": cookie})
            yield Stream(connection.getresponse())
        finally:
            connection.close()

    def raw(self, head: str, body: bytes = b"") -> bytes:
        """What comes back for these bytes, when the sender then falls silent but listens."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
            return connection.recv(65536)


def authorized(as_: Api | str | None) -> dict[str, str]:
    if as_ is None:
        return {}
    return {"Authorization": as_ if isinstance(as_, str) else as_.client.defaults["HTTP_AUTHORIZATION"]}


@contextmanager
def running_site() -> Iterator[Site]:
    from api import live
    from picloud_site.asgi import application

    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, what="uvicorn to listen")
    yield Site(port)
    server.should_exit = True
    thread.join(10)
    _close_connections(live._threads)


def _close_connections(threads: Any) -> None:
    """The database of the tests cannot be dropped while anybody is connected."""
    everybody = threading.Barrier(threads._max_workers)

    def close(_: int) -> None:
        connections.close_all()
        everybody.wait(10)

    list(threads.map(close, range(threads._max_workers)))
