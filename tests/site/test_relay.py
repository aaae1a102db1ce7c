"""The relay of a worker host: what jobs ask of the API goes to the web host, and the answers come back, as they are."""

import gzip
import http.client
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.servers import running
from tests.stack import CODE

ZIPPED = gzip.compress(b"hello" * 100)


class WebHost(ThreadingHTTPServer):
    """Answers as the tests need it, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.go_on = threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: WebHost
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, self._body(headers)))
        if self.path.endswith("/events"):
            self._stream()
            return
        self.send_response(302 if "moved" in self.path else 200)
        self.send_header("Set-Cookie", "who=alice")
        self.send_header("Location", "/api/v1/elsewhere")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(ZIPPED)))
        self.end_headers()
        self.wfile.write(ZIPPED)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server looks for

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(headers.get("content-length", 0)))

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.go_on.wait(20)
        self.wfile.write(b"data: last\n\n")

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


@contextmanager
def relay_to(address: str, home: Path) -> Iterator[Path]:
    """The socket of a relay to that address."""
    path = home / "run/api/api.sock"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PICLOUD_", "REDIS", "DATABASE"))}
    env |= {"PICLOUD_HOME": str(home), "PICLOUD_URL_PUBLIC": f"http://{address}", "PYTHONPATH": str(CODE)}
    with running([sys.executable, "-m", "picloud_site.relay"], at=path, env=env):
        yield path


@pytest.fixture(scope="module")
def web_host() -> Iterator[WebHost]:
    with WebHost() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def relay(web_host: WebHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with relay_to(web_host.address, tmp_path_factory.mktemp("relay")) as path:
        yield path


def ask(path: Path, method: str, target: str, **more: Any) -> tuple[http.client.HTTPResponse, bytes]:
    connection = UnixConnection(path)
    try:
        connection.request(method, target, **more)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_request_and_answer_pass_as_they_are(web_host: WebHost, relay: Path) -> None:
    headers = {"Authorization": "Bearer token", "X-Forwarded-For": "10.1.1.1", "Accept-Encoding": "gzip"}
    answer, body = ask(relay, "POST", "/api/v1/jobs?a=%2Fb&c=%20", body=b"x" * 300_000, headers=headers)
    method, path, asked, sent = web_host.asked[-1]
    assert (method, path, len(sent)) == ("POST", "/api/v1/jobs?a=%2Fb&c=%20", 300_000)
    assert asked["host"] == web_host.address
    assert asked["authorization"] == "Bearer token"
    assert {"x-forwarded-for", "user-agent", "content-type"} & asked.keys() == set()
    assert (answer.status, answer.getheader("Content-Encoding"), body) == (200, "gzip", ZIPPED)


def test_body_of_unknown_length_passes_in_pieces(web_host: WebHost, relay: Path) -> None:
    ask(relay, "PUT", "/api/v1/files/x", body=iter([b"abc", b"def"]), encode_chunked=True)
    assert web_host.asked[-1][3] == b"abcdef"


def test_nothing_of_one_request_is_known_to_the_next(web_host: WebHost, relay: Path) -> None:
    answer, _ = ask(relay, "GET", "/api/v1/account")
    assert answer.getheader("Set-Cookie") == "who=alice"
    ask(relay, "GET", "/api/v1/account")
    assert "cookie" not in web_host.asked[-1][2]


def test_redirects_are_the_askers_affair(web_host: WebHost, relay: Path) -> None:
    before = len(web_host.asked)
    answer, _ = ask(relay, "GET", "/api/v1/moved")
    assert (answer.status, answer.getheader("Location")) == (302, "/api/v1/elsewhere")
    assert len(web_host.asked) == before + 1


def test_streams_arrive_as_they_come(web_host: WebHost, relay: Path) -> None:
    connection = UnixConnection(relay)
    connection.request("GET", "/api/v1/events")
    answer = connection.getresponse()
    assert answer.readline() == b"data: first\n"
    web_host.go_on.set()
    assert answer.read() == b"\ndata: last\n\n"
    connection.close()


def test_only_the_api_is_reached(web_host: WebHost, relay: Path) -> None:
    before = len(web_host.asked)
    assert ask(relay, "GET", "/admin/")[0].status == 404
    assert len(web_host.asked) == before
    assert ask(relay, "GET", "/healthz")[0].status == 200


def test_web_host_that_is_away_is_an_answer_that_clients_try_again_on(tmp_path: Path) -> None:
    with relay_to("127.0.0.1:9", tmp_path) as path:
        answer, body = ask(path, "GET", "/api/v1/account")
    assert (answer.status, answer.getheader("Retry-After")) == (503, "1")
    assert b'"code":"unreachable"' in body
