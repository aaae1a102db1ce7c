"""One request to the service: who asks, retries, and the service's sentences as exceptions."""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cloud._answers import Answer
from cloud._config import config
from cloud._errors import CloudException
from cloud._http import Address, Body, Connection, NotConnected, Pool, Response, request_head
from cloud._progress import is_terminal
from cloud._version import __version__

ANSWER_SECONDS = 60.0
_USER_AGENT = f"picloud/{__version__}"
_FIRST_PAUSE, _LONGEST_PAUSE, _QUIET_SECONDS = 0.05, 3.0, 2.0
_BUSY = frozenset({429, 502, 503, 504})

_pool = Pool()
_addresses: dict[str, Address] = {}


def request(
    method: str,
    path: str,
    *,
    body: Body | Callable[[], Body] = b"",
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
    wait: float = 0.0,
    patience: float | None = None,
    idempotent: bool = True,
) -> Response:
    """The service's answer, after retries while it cannot be reached; an error answer is raised as a sentence."""
    sent = dict(headers or {})
    if content_type:
        sent["Content-Type"] = content_type
    with stream(method, path, body=body, headers=sent, wait=wait, patience=patience, idempotent=idempotent) as response:
        return Response(response.status, response.headers, response.read())


def request_json(
    method: str, path: str, payload: object = None, *, idempotent: bool = True, patience: float | None = None
) -> Any:
    """The service's JSON answer to a JSON request, None when it has no body."""
    body = b"" if payload is None else json.dumps(payload, separators=(",", ":")).encode()
    answer = request(
        method, path, body=body, content_type="application/json", idempotent=idempotent, patience=patience
    ).body
    return json.loads(answer) if answer else None


@contextmanager
def stream(
    method: str,
    path: str,
    *,
    body: Body | Callable[[], Body] = b"",
    headers: Mapping[str, str] | None = None,
    wait: float = 0.0,
    patience: float | None = None,
    idempotent: bool = True,
) -> Iterator[Answer]:
    """The open answer, for reading its body piece by piece; as `request` otherwise.

    Only the request is retried, never the reading. `body` may be a function, which is asked again at each try.
    """
    credentials = config.credentials()
    address = _address(credentials.url)
    retries = Retries(config.retry_seconds if patience is None else patience, what=credentials.url)
    while True:
        try:
            sent = {"Authorization": credentials.authorization, "User-Agent": _USER_AGENT, **(headers or {})}
            timeout = ANSWER_SECONDS + wait
            connection, response = _send(
                address, method, path, body=body, headers=sent, timeout=timeout, fresh=not idempotent
            )
        except OSError as problem:
            harmless = idempotent or isinstance(problem, NotConnected)
            hopeless = type(problem.__cause__).__name__ == "SSLCertVerificationError"
            if not harmless or hopeless or not retries.again():
                raise _unreachable(credentials.url, problem, lost=not harmless) from problem
            continue
        if response.status < 400:
            break
        refusal = _refusal(response, credentials.url)
        _pool.give_back(address, connection, response)
        if response.status not in _BUSY or not idempotent or not retries.again(response.headers.get("retry-after")):
            raise refusal
    try:
        yield response
    except BaseException:
        connection.close()
        raise
    _pool.give_back(address, connection, response)


class Retries:
    """Pauses that double, with jitter, until the patience is used up."""

    def __init__(self, seconds: float, *, what: str = "") -> None:
        self._deadline = time.monotonic() + seconds
        self._tell_at = time.monotonic() + _QUIET_SECONDS if what and is_terminal() else self._deadline
        self._what = what
        self._pause = _FIRST_PAUSE

    def again(self, retry_after: str | None = None) -> bool:
        """Pause, then say True; False when there is no time left."""
        pause = self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
        if retry_after and retry_after.isdecimal():
            pause = max(pause, float(retry_after))
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        if time.monotonic() >= self._tell_at:
            self._tell_at = self._deadline
            sys.stderr.write(f"PiCloud: {self._what} does not answer; trying for {left:.0f} seconds more.\n")
        time.sleep(min(pause, left))
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True


def server() -> tuple[str, str]:
    """The server and the key in use, as the key of what the client remembers about them."""
    credentials = config.credentials()
    return credentials.url, credentials.authorization


def _send(
    address: Address,
    method: str,
    path: str,
    *,
    body: Body | Callable[[], Body],
    headers: dict[str, str],
    timeout: float,
    fresh: bool,
) -> tuple[Connection, Answer]:
    sent_body = body() if callable(body) else body
    if isinstance(sent_body, bytes) and (sent_body or method in ("POST", "PUT")):
        headers["Content-Length"] = str(len(sent_body))
    head = request_head(address, method, path, headers)
    # What must not be sent twice does not go where the server may just be hanging up.
    connection = _pool.take(address, fresh=fresh)
    try:
        return connection, connection.send(method, head, sent_body, timeout=timeout)
    except BaseException:
        connection.close()
        raise


def _address(url: str) -> Address:
    address = _addresses.get(url)
    if address is None:
        try:
            address = _addresses[url] = Address.parse(url)
        except ValueError as problem:
            raise CloudException(f"PICLOUD_URL: {problem}.") from problem
    return address


def _refusal(response: Answer, url: str) -> CloudException:
    """The service's own sentence; when it has none, what that means."""
    raw = response.read()
    try:
        error = json.loads(raw)["error"]
        jid = error.get("jid")
        return CloudException(
            str(error["message"]),
            status=str(error["code"]),
            jid=jid if isinstance(jid, int) else None,
            hint=error.get("hint"),
        )
    except (ValueError, KeyError, TypeError):
        sentence = (
            f"{url} answered {response.status} {response.reason} to a request of the PiCloud client: "
            "check that PICLOUD_URL is the address of a PiCloud server, and read that server's log."
        )
        return CloudException(sentence, status=str(response.status))


def _unreachable(url: str, problem: Exception, *, lost: bool) -> CloudException:
    if lost:
        sentence = (
            f"The connection to {url} was lost before it answered ({problem}): "
            "look whether the request was carried out."
        )
    else:
        sentence = (
            f"The PiCloud server at {url} cannot be reached ({problem}): check that it is running, "
            "that PICLOUD_URL (or ~/.picloud) names it, and that no firewall stands between."
        )
    return CloudException(sentence, status="unreachable", retry=True)


def has_connected(url: str) -> bool:
    """Whether this process has an open connection to the server."""
    return url in _addresses and _pool.has(_addresses[url])
