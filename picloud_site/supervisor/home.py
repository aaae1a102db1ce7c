"""PICLOUD_HOME as the supervisor sees it: who holds it, which sockets are in it, and whether they answer."""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from picloud_site import settings

REDIS_SOCKET = settings.RUN_DIR / "redis.sock"
ENGINE_SOCKET = settings.RUN_DIR / "podman.sock"
LOCK = settings.PICLOUD_HOME / "supervisor.lock"
# The kernel takes 107 bytes for the path of a Unix socket; the longest of ours in RUN_DIR.
LONGEST_RUN_DIR = 107 - len("/slot-999/runner.sock")
# When the set-up script began, so that the time to readiness is the one people wait.
BEGAN = time.monotonic() - max(time.time() - float(os.environ.get("PICLOUD_BEGAN") or time.time()), 0.0)


class Occupied(Exception):
    """The port or the directory belongs to somebody else, or cannot be used."""


def runs_own_redis() -> bool:
    return f"unix://{REDIS_SOCKET}" == settings.REDIS_URL


def runs_own_engine() -> bool:
    return settings.SANDBOX == "container" and f"unix://{ENGINE_SOCKET}" == settings.CONTAINER_ENGINE_URL


def _ask(path: Path, question: bytes) -> bytes:
    """The first bytes of the answer on a Unix socket, or none."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(question)
            return connection.recv(512)
        except OSError:
            return b""


def redis_answers() -> bool:
    # While it loads its file it answers -LOADING. From the first answer on it may say what goes wrong: before,
    # its only words are advice on kernel settings that this use does not need.
    return _ask(REDIS_SOCKET, b"CONFIG SET loglevel warning\r\n").startswith(b"+OK")


def engine_answers() -> bool:
    return b" 200 " in _ask(ENGINE_SOCKET, b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")


def relay_answers() -> bool:
    return _ask(settings.API_SOCKET, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/")


def is_healthy() -> bool:
    """Whether GET /healthz answers 200. A raw request: an HTTP library would double this process's memory."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    host = everywhere.get(settings.HOST, settings.HOST)
    name = (settings.ALLOWED_HOSTS or ["localhost"])[0].lstrip(".").replace("*", "localhost") or "localhost"
    request = f"GET /healthz HTTP/1.0\r\nHost: {name}\r\nX-Forwarded-Proto: https\r\n\r\n"
    try:
        with closing(socket.create_connection((host, settings.PORT), timeout=2)) as connection:
            connection.sendall(request.encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _check_port() -> None:
    try:
        for family, _, _, _, address in socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM):
            with closing(socket.socket(family)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        raise Occupied(
            f"{settings.HOST}:{settings.PORT} cannot be used ({error.strerror}): "
            "stop what listens there, or choose another, as in PORT=8001 make up."
        ) from None


def _check_length() -> None:
    too_long = len(os.fsencode(settings.RUN_DIR)) - LONGEST_RUN_DIR
    if too_long > 0:
        raise Occupied(
            f"PICLOUD_HOME is {too_long} bytes too long for Unix sockets in it ({settings.PICLOUD_HOME}): "
            "choose a shorter one, as in PICLOUD_HOME=/var/lib/picloud make up."
        )


@contextmanager
def claimed(*, serves_people: bool) -> Iterator[None]:
    """PICLOUD_HOME, held against every other supervisor, with its directories made and old sockets gone."""
    _check_length()
    settings.PICLOUD_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    with LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Occupied(
                f"Process {lock.read().strip() or '?'} already serves {settings.PICLOUD_HOME}: "
                "stop it with `make down`, or choose another PICLOUD_HOME."
            ) from None
        if serves_people:
            _check_port()
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _make_directories()
        try:
            yield
        finally:
            lock.truncate(0)


def _make_directories() -> None:
    for directory in (settings.RUN_DIR, settings.PICLOUD_HOME / "redis"):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o700)
    remove_sockets()


def remove_sockets() -> None:
    for path in settings.RUN_DIR.rglob("*.sock"):
        path.unlink(missing_ok=True)


def stop_supervisor(*, tidy: Callable[[], None]) -> int:
    """Ends the supervisor that holds PICLOUD_HOME and waits until it is gone; tidies up when it is gone already."""
    if not LOCK.exists():
        print(f"Nothing serves {settings.PICLOUD_HOME}.")
        return 0
    with LOCK.open("r+") as lock:
        within = 15 + settings.DRAIN_SECONDS
        end = time.monotonic() + within
        asked = False
        while time.monotonic() < end:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                asked = asked or _ask_to_stop(lock)
                time.sleep(0.05)
            else:
                if not asked:
                    tidy()
                print("Stopped." if asked else f"Nothing serves {settings.PICLOUD_HOME}.")
                return 0
    print(f"It did not stop within {within} s.", file=sys.stderr)
    return 1


def _ask_to_stop(lock: TextIO) -> bool:
    lock.seek(0)
    holder = lock.read()
    if holder:
        os.kill(int(holder), signal.SIGTERM)
    return bool(holder)
