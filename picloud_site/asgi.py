"""The whole site on one port: waiting requests on the event loop, everything else in Django's threads."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
# Loads Django's apps, which the imports below need.
_wsgi: Any = get_wsgi_application()

from a2wsgi import WSGIMiddleware  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402

from api import live  # noqa: E402
from api.errors import error_body  # noqa: E402

# Django works in this many threads, each with a database connection that stays open.
THREADS = 8
# Up- and downloads go at the pace of somebody's network: some of them must not keep all pages waiting.
TRANSFER_THREADS = 32
TRANSFERS = ("/api/v1/files/", "/api/v1/modules/", "/files/")

_django = WSGIMiddleware(_wsgi, workers=THREADS)
_transfers = WSGIMiddleware(_wsgi, workers=TRANSFER_THREADS)


async def _wait(scope: Any, receive: Any, send: Any) -> None:
    """The waiting requests; one that the end of this process cuts short is told to ask again."""
    answered = False

    async def note(message: Any) -> None:
        nonlocal answered
        answered = True
        await send(message)

    try:
        await live.application(scope, receive, note)
    except asyncio.CancelledError:
        if answered or scope["type"] != "http":
            raise
        body = error_body("restarting", "The server is restarting: ask again in a moment.")
        await JSONResponse(body, status_code=503, headers={"Retry-After": "1"})(scope, receive, send)


# Seconds that a request may say nothing in the middle of its body, or nobody take any of the answer.
SILENCE = 60.0


def _heard(receive: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """The body of a request, for a2wsgi: one cut off is an error, where it would be taken for a whole one.

    So is a silent client, which holds one of a few threads.
    """

    async def receive_or_fail() -> Any:
        async with asyncio.timeout(SILENCE):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client hung up")
        return message

    return receive_or_fail


def _taken(send: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """An answer that nobody takes is dropped, so that its thread comes to an end.

    Not by an exception: a2wsgi's thread would then wait for ever for somebody to take the rest.
    """
    given_up = False

    async def send_or_drop(message: Any) -> None:
        nonlocal given_up
        if given_up:
            return
        try:
            async with asyncio.timeout(SILENCE):
                await send(message)
        except TimeoutError:
            given_up = True

    return send_or_drop


async def application(scope: Any, receive: Any, send: Any) -> None:
    if live.serves(scope):
        await _wait(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(TRANSFERS):
        await _transfers(scope, _heard(receive), _taken(send))
    else:
        await _django(scope, _heard(receive), _taken(send))
