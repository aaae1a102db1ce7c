"""The waiting half of the API: long polls for results, and event streams for the dashboard.

A small Starlette application beside Django, in which a waiter costs a coroutine and not a thread;
what touches the database runs in a few threads.
"""

import asyncio
import contextlib
import gc
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from reprlib import repr as shown
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.http import HttpRequest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from accounts.models import User
from api.auth import caller_of
from api.errors import MAX_QUESTION, TooLarge, answer_to, error_body, parse_object
from api.hub import Hub, Listener
from api.jobs import accept_submit
from common import packs
from common.exceptions import Refused
from common.ranges import Range, ranges_of
from jobs.models import Job
from jobs.selectors.detail import job_for
from jobs.services import bus, info, results
from jobs.services.submission import parse_ranges

T = TypeVar("T")
View = Callable[[Request], Awaitable[Response]]

MAX_WAIT = 60.0  # seconds of one long poll
LINGER = 0.25  # seconds to collect more results after the first
RECHECK = 5.0  # seconds after which a waiter looks by itself, in case a message was lost
STREAM_BEAT = 15.0  # seconds between signs of life on a quiet stream
STREAM_AGE = 300.0  # seconds of one stream; a browser comes back at once, and has to be signed in still
COALESCE = 0.4  # seconds over which changes are gathered for a page
MAX_BYTES = 32_000_000  # of results in one answer
MAX_JIDS = 10_000
SMALL_BODY = 256 * 1024  # bytes that are read before the key is looked at
BODY_WITHIN = 120.0  # seconds for a whole body to arrive

hub = Hub()
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run blocking code, which may use the database, outside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(_call, function, args, kwargs))


def _call(function: Callable[..., T], args: Any, kwargs: Any) -> T:
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
    return function(*args, **kwargs)


# -- submit ------------------------------------------------------------------------------------


async def submit_view(request: Request) -> Response:
    """Take in a submit: the same as `api.jobs.jobs`, without the threads and layers between."""
    await _check_caller_of_large(request)
    body = await _whole_body(request, limit=settings.MAX_REQUEST)
    answer, status = await in_thread(_submit, request, body)
    return JSONResponse(answer, status_code=status)


def _submit(request: Request, body: bytes) -> tuple[dict[str, Any], int]:
    return accept_submit(caller_of(request.headers.get("authorization", "")), body)


def _announced_size(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def _check_caller_of_large(request: Request) -> None:
    """Strangers must not make us keep large bodies; of small ones the key is looked at together with the rest."""
    size = _announced_size(request)
    if size is None or size > SMALL_BODY:
        await in_thread(caller_of, request.headers.get("authorization", ""))


async def _whole_body(request: Request, *, limit: int) -> bytes:
    if (_announced_size(request) or 0) > limit:
        raise TooLarge(limit)
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise TooLarge(limit)
                parts.append(part)
    except (ClientDisconnect, TimeoutError):
        raise Refused("cut_off", "The request ended before all of it had arrived. Send it again.") from None
    return b"".join(parts)


# -- results ---------------------------------------------------------------------------------


class Asked(NamedTuple):
    """What a request for results asks."""

    account_id: int
    ranges: tuple[Range, ...]
    wait: float
    with_data: bool
    max_bytes: int


async def results_view(request: Request) -> Response:
    """Wait for jobs and answer what they left; see docs/reference/rest.md for when it answers."""
    body = await _whole_body(request, limit=MAX_QUESTION)
    with contextlib.ExitStack() as stack:
        listener = Listener()
        # In one step, because each change of threads costs as much as the look itself.
        asked, seen = await in_thread(_begin, request, body, listener, stack)
        answer = await _wait(listener, asked, seen)
    return Response(answer, media_type=packs.CONTENT_TYPE)


def _begin(request: Request, body: bytes, listener: Listener, stack: contextlib.ExitStack) -> "tuple[Asked, Seen]":
    """Who asks for what, and where it stands; from before the look on the listener hears what happens."""
    asked = _read_request(request, body)
    channel = bus.account_channel(asked.account_id)
    hub.add(listener, channel)
    stack.callback(hub.remove, listener, channel)
    return asked, _look(asked, final=asked.wait == 0)


def _read_request(request: Request, body: bytes) -> Asked:
    caller = caller_of(request.headers.get("authorization", ""))
    asked = parse_object(body)
    wait = asked.get("wait", 0)
    max_bytes = asked.get("max_bytes", MAX_BYTES)
    with_data = asked.get("data", True)
    if type(wait) not in (int, float) or not 0 <= wait <= MAX_WAIT:
        raise Refused("bad_wait", f"wait must be a number of seconds from 0 to {MAX_WAIT:.0f}, not {shown(wait)}.")
    if type(max_bytes) is not int or max_bytes < 0:
        raise Refused("bad_max_bytes", f"max_bytes must be a whole number, not {shown(max_bytes)}.")
    if type(with_data) is not bool:
        raise Refused("bad_data", f"data must be true or false, not {shown(with_data)}.")
    ranges = parse_ranges(asked.get("jids"), limit=MAX_JIDS)
    return Asked(caller.account.pk, ranges, float(wait), with_data, min(max_bytes, MAX_BYTES))


async def _wait(listener: Listener, asked: Asked, seen: "Seen") -> bytes:
    """Wait until all are finished; or some are and the time to collect more is over; or the wait is over."""
    deadline = time.monotonic() + asked.wait
    linger_until: float | None = None
    while True:
        standing, answer = seen
        if answer is not None:
            return answer
        now = time.monotonic()
        if standing.finished and linger_until is None:
            linger_until = now + LINGER
        until = min(deadline, linger_until) if linger_until else deadline
        linger_until = await _until_news(listener, standing, min(until, now + RECHECK), linger_until)
        patience = min(deadline, linger_until) if linger_until else deadline
        seen = await in_thread(_look, asked, final=time.monotonic() >= patience)


# Where the jobs stand, and the answer if it is time for one.
Seen = tuple[results.Standing, bytes | None]


def _look(asked: Asked, *, final: bool) -> Seen:
    """Where the jobs stand, and the answer when all have finished or there is no more time to wait."""
    standing = results.standing_of(account_id=asked.account_id, ranges=asked.ranges)
    if standing.pending and not final:
        return standing, None
    found = results.results_of(
        account_id=asked.account_id, jids=standing.finished, with_data=asked.with_data, max_bytes=asked.max_bytes
    )
    header = {
        "jobs": found.jobs,
        "errors": found.errors,
        "counts": standing.counts,
        "pending": ranges_of(standing.pending),
    }
    return standing, packs.build(header, *found.parts)


async def _until_news(
    listener: Listener, standing: results.Standing, until: float, linger_until: float | None
) -> float | None:
    """Wait for as many jobs to finish as are pending, without looking at each message in the database."""
    missing = set(standing.pending)
    while missing:
        message = await listener.next(until - time.monotonic())
        if message is None or not message:
            break
        for first, last in message.get("finished", ()):
            missing.difference_update(range(first, last + 1))
        if len(missing) < len(standing.pending) and linger_until is None:
            linger_until = time.monotonic() + LINGER
            until = min(until, linger_until)
    return linger_until


# -- event streams ------------------------------------------------------------------------------


def _session_user(request: Request) -> User:
    """The person signed in on the dashboard. Raises Refused when nobody is."""
    django_request = HttpRequest()
    django_request.session = SessionStore(request.cookies.get(settings.SESSION_COOKIE_NAME))
    user = get_user(django_request)
    if not isinstance(user, User):
        refused = Refused("signed_out", "Sign in to watch jobs.")
        refused.status = 401
        raise refused
    return user


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _stream(events: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def account_view(request: Request) -> Response:
    """Stream the ids of the account's batches as they change."""
    user = await in_thread(_session_user, request)
    return _stream(_account_events(user.pk))


async def _account_events(account_id: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    until = time.monotonic() + STREAM_AGE
    with hub.listen(bus.account_channel(account_id)) as listener:
        mark_again = 0.0
        while (now := time.monotonic()) < until:
            if now >= mark_again:
                await in_thread(bus.mark_watched, account_id, seconds=round(3 * STREAM_BEAT))
                mark_again = now + STREAM_BEAT
            message = await listener.next(STREAM_BEAT)
            if message is None:
                yield ": alive\n\n"
                continue
            changed = set(message.get("batches", ()))
            gathered_until = time.monotonic() + COALESCE
            while (message := await listener.next(gathered_until - time.monotonic())) is not None:
                changed.update(message.get("batches", ()))
            yield _event("batches", sorted(changed))


async def log_view(request: Request) -> Response:
    """Stream the output of one job: first all of it that is kept, then each piece as it is written."""
    user = await in_thread(_session_user, request)
    job = await in_thread(job_for, account=user, jid=request.path_params["jid"])
    return _stream(_log_events(user, job))


def _whole_log(job: Job) -> dict[str, str]:
    return {stream: info.read_log(job, stream) for stream in ("stdout", "stderr", "logging")}


async def _log_events(user: User, job: Job) -> AsyncIterator[str]:
    """Ends with `end` when the job has finished, after the `status` event that says how."""
    until = time.monotonic() + STREAM_AGE
    with hub.listen(bus.log_channel(job.pk)) as output, hub.listen(bus.account_channel(user.pk)) as changes:
        job = await in_thread(job_for, account=user, jid=job.jid)
        yield _event("snapshot", await in_thread(_whole_log, job))
        status = job.status
        yield _event("status", {"status": status})
        while not job.is_finished:
            if time.monotonic() > until:
                return
            async for event in _new_output(output, changes):
                yield event
            job = await in_thread(job_for, account=user, jid=job.jid)
            if job.status != status:
                status = job.status
                yield _event("status", {"status": status})
        yield _event("snapshot", await in_thread(_whole_log, job))
        yield _event("end", {"status": status})


async def _new_output(output: Listener, changes: Listener) -> AsyncIterator[str]:
    """Pieces of output until the account's jobs change, or a second went by."""
    until = time.monotonic() + 1.0
    while (left := until - time.monotonic()) > 0:
        piece = await output.next(min(left, 0.1))
        if piece:
            yield _event("output", piece)
        elif await changes.next(0) is not None:
            return
    yield ": alive\n\n"


# -- the application ----------------------------------------------------------------------------


def _answer_to(request: Request, error: Exception) -> Response:
    """What Django's half of the API answers to the same exception."""
    answer = answer_to(request.method, request.url.path, error)
    return Response(answer.content, answer.status_code, dict(answer.items()))


def _http_answer(request: Request, error: Exception) -> Response:
    """For addresses and methods that Starlette does not find."""
    assert isinstance(error, HTTPException)
    code = "method_not_allowed" if error.status_code == 405 else "address_unknown"
    message = f"{request.method} {request.url.path} is not possible; see /api/v1/openapi.json."
    return JSONResponse(error_body(code, message), error.status_code, error.headers)


def _answered(view: View) -> View:
    """Every exception of the view becomes an answer in JSON, and is not Starlette's to log a second time."""

    @wraps(view)
    async def wrapped(request: Request) -> Response:
        try:
            response = await view(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets it as JSON and the log whole
            response = _answer_to(request, error)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return wrapped


@contextlib.asynccontextmanager
async def _running_hub(app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(hub.run())
    # What is loaded by now stays: the collector need not walk through it again in the middle of a request.
    gc.collect()
    gc.freeze()
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def serves(scope: Any) -> bool:
    """Whether a request is this application's, rather than Django's."""
    if scope["type"] != "http":
        return True
    path: str = scope["path"]
    if path == "/api/v1/jobs":
        return bool(scope["method"] == "POST")
    return path == "/api/v1/results" or path.startswith("/live/")


application = Starlette(
    routes=[
        Route("/api/v1/jobs", _answered(submit_view), methods=["POST"]),
        Route("/api/v1/results", _answered(results_view), methods=["POST"]),
        Route("/live/account", _answered(account_view)),
        Route("/live/jobs/{jid:int}/log", _answered(log_view)),
    ],
    exception_handlers={HTTPException: _http_answer},
    lifespan=_running_hub,
)
