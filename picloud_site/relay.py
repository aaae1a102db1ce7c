"""The API of the web host on a Unix socket of this worker host, for jobs in sandboxes: `python -m picloud_site.relay`.

Sandboxes cannot reach private networks, and some have no network at all. Requests and answers pass as they are, in
pieces as they come; each carries a credential of its own.
"""

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import TypedDict

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from yarl import URL

from picloud_site import settings
from picloud_site.web import api_socket

logger = logging.getLogger(__name__)

# What concerns one connection, and what would let a job choose the address that it seems to come from.
HOP_BY_HOP = {
    *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"),
    *("host", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
}
CONNECT_SECONDS = 10.0
# Above the longest wait for results, which is a minute.
SILENCE_SECONDS = 120.0
KEEP_SECONDS = 30.0  # less than any web server keeps an idle connection


class State(TypedDict):
    session: aiohttp.ClientSession


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[State]:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_SECONDS, ssl=ssl.create_default_context())
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
    # Jobs of several accounts share the session: it must remember nothing between two requests.
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        yield {"session": session}


def _passing(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


def _target(request: Request) -> URL:
    query = request.scope["query_string"]
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    return URL(settings.PUBLIC_URL.rstrip("/") + path, encoded=True)


async def forward(request: Request) -> Response:
    """The web host's answer to a request, streamed both ways."""
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    session: aiohttp.ClientSession = request.state.session
    try:
        answer = await session.request(
            request.method,
            _target(request),
            headers=_passing(request.headers.items()),
            data=request.stream() if has_body else None,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            allow_redirects=False,
        )
    except ClientDisconnect:
        return Response(status_code=400)
    except (aiohttp.ClientError, TimeoutError) as error:
        logger.warning("%s does not answer: %s", settings.PUBLIC_URL, error or type(error).__name__)
        words = "The web host cannot be reached from this worker host: ask again in a moment."
        body = {"error": {"code": "unreachable", "message": words}}
        return JSONResponse(body, status_code=503, headers={"Retry-After": "1"})
    response = StreamingResponse(_pieces(answer), status_code=answer.status)
    response.raw_headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in _passing(answer.headers.items())
    ]
    return response


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for piece in answer.content.iter_any():
            yield piece


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
application = Starlette(
    routes=[Route("/api/v1/{path:path}", forward, methods=METHODS), Route("/healthz", forward, methods=["GET"])],
    lifespan=_lifespan,
)


def main() -> None:
    config = uvicorn.Config(
        application,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        # Event streams never end by themselves.
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[api_socket()])


if __name__ == "__main__":
    main()
