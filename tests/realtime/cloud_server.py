"""moto's EC2 server behind a door that can be told to refuse, as EC2 does on a bad day."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import urllib3

from tests.servers import free_port, running

REGION = "eu-central-1"
FIRST_ANSWER_S = 30.0  # moto reads its lists of instance types when it is first asked
REFUSAL = (
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>1</RequestID></Response>"
)


class Door(ThreadingHTTPServer):
    """Passes requests on, but for those that are to be refused. Keeps what was asked."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.refusals: list[tuple[str, int, str, str]] = []
        self.most_started: int | None = None
        self.requests: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def refuse(self, action: str, code: str, *, message: str = "Not now", status: int = 400, times: int = 1) -> None:
        self.refusals += [(action, status, code, message)] * times

    def asked(self, action: str) -> list[dict[str, list[str]]]:
        return [request for request in self.requests if request["Action"] == [action]]


class _Handler(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = parse_qs(body.decode())
        self.server.requests.append(request)
        planned = next((one for one in self.server.refusals if [one[0]] == request["Action"]), None)
        if planned is not None:
            self.server.refusals.remove(planned)
            _, status, code, message = planned
            self._answer(status, REFUSAL.format(code=code, message=message).encode(), "text/xml")
            return
        if request["Action"] == ["RunInstances"]:
            body = self._as_many_as_there_are(body, int(request["MaxCount"][0]))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        answer = urllib3.request("POST", self.server.target, body=body, headers=kept, timeout=FIRST_ANSWER_S)
        self._answer(answer.status, answer.data, answer.headers.get("Content-Type", "text/xml"))

    def _as_many_as_there_are(self, body: bytes, wanted: int) -> bytes:
        """EC2 starts up to MaxCount; moto starts MinCount."""
        number = min(wanted, self.server.most_started or wanted)
        return body.replace(b"MinCount=1&", b"MinCount=%d&" % number)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def ec2_server() -> Iterator[Door]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, at=("127.0.0.1", port)):
        door = Door(f"http://127.0.0.1:{port}")
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join()
            door.server_close()


def empty(door: Door) -> None:
    """Forget every instance, and every plan."""
    urllib3.request("POST", f"{door.target}/moto-api/reset")
    door.refusals.clear()
    door.requests.clear()
    door.most_started = None
