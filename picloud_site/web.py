"""The web process: the site on HOST:PORT, and its API on a Unix socket for jobs in sandboxes."""

import contextlib
import os
import socket

import uvicorn

from picloud_site import settings

BACKLOG = 1024


def api_socket() -> socket.socket:
    """Where jobs in sandboxes reach the API.

    Open to every user of the machine: sandboxes run as another one, and each request needs its own credential.
    """
    path = settings.API_SOCKET
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o666)
    return listener


def _tcp_socket() -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.HOST, settings.PORT))
    return listener


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
    config = uvicorn.Config(
        "picloud_site.asgi:application",
        backlog=BACKLOG,
        http="httptools",
        loop="uvloop",
        access_log=settings.DEBUG,
        log_level="info" if settings.DEBUG else "warning",
        server_header=False,
        # Event streams never end by themselves.
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[_tcp_socket(), api_socket()])


if __name__ == "__main__":
    main()
