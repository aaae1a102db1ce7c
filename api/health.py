"""Whether each part serves, for supervisors and load balancers. It tells no secret and needs no account."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from jobs.selectors.workers import worker_reports

CACHED_S = 1.0
CACHED_ILL_S = 0.2  # whoever waits for us to serve is told soon
ANSWER_WITHIN_S = 2.0
LEAST_DISK = 100_000_000  # bytes

# No retries: ten of them, as is usual, would make an ill server slow to say so.
_redis = Redis.from_url(
    settings.REDIS_URL, socket_timeout=ANSWER_WITHIN_S, retry=Retry(NoBackoff(), 0), decode_responses=True
)
_lock = threading.Lock()
_last: tuple[float, dict[str, dict[str, object]]] = (0.0, {})


class Unwell(Exception):
    """A part does not serve. The message says why."""


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Unwell(f"The database does not answer ({type(error).__name__}).") from error
    return connection.vendor


def _redis_server() -> str:
    try:
        _redis.ping()
    except RedisError as error:
        raise Unwell(f"Redis does not answer ({type(error).__name__}).") from error
    return "answers"


def _storage() -> str:
    if not settings.S3_BUCKET:
        return _directory(Path(settings.PICLOUD_HOME))
    return _bucket()


def _bucket() -> str:
    # Half a second and 20 MB that an installation on files need not spend.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        default_storage.exists("healthz")
    except (BotoCoreError, ClientError) as error:
        raise Unwell(f"The bucket does not answer ({type(error).__name__}).") from error
    return "bucket"


def _directory(path: Path) -> str:
    status = os.statvfs(path)
    free = status.f_bavail * status.f_frsize
    if not os.access(path, os.W_OK):
        raise Unwell("PICLOUD_HOME cannot be written to.")
    if free < LEAST_DISK:
        raise Unwell(f"The disk is full: {free // 1_000_000} MB are left under PICLOUD_HOME.")
    return f"{free // 1_000_000} MB free"


def _worker_reports() -> list[dict[str, str]]:
    try:
        return list(worker_reports(_redis).values())
    except RedisError as error:
        raise Unwell("Unknown while Redis does not answer.") from error


def _workers() -> str:
    count = len(_worker_reports())
    if count == 0:
        raise Unwell("No worker has reported for 15 seconds.")
    return f"{count} at work"


def _sandbox() -> str:
    reports = _worker_reports()
    if not reports:
        raise Unwell("Unknown while no worker reports.")
    problems = sorted({report["problem"] for report in reports if report.get("problem")})
    if problems:
        raise Unwell(" ".join(problems))
    kinds = {f"{report.get('sandbox', '?')}; jobs reach {report.get('network', '?')}" for report in reports}
    return " / ".join(sorted(kinds))


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis_server,
    "storage": _storage,
    "workers": _workers,
    "sandbox": _sandbox,
}


def _look(part: Callable[[], str]) -> dict[str, object]:
    try:
        return {"ok": True, "detail": part()}
    except Unwell as error:
        return {"ok": False, "detail": str(error)}


def check() -> dict[str, dict[str, object]]:
    """The state of each part, at most a second old."""
    global _last
    with _lock:
        serves = all(part["ok"] for part in _last[1].values())
        if time.monotonic() - _last[0] > (CACHED_S if serves else CACHED_ILL_S):
            _last = (time.monotonic(), {name: _look(part) for name, part in PARTS.items()})
        return _last[1]


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    parts = check()
    serves = all(part["ok"] for part in parts.values())
    response = JsonResponse(parts, status=200 if serves else 503, headers={"Cache-Control": "no-store"})
    # Django would log each 503 as an error, and whoever waits for us to serve asks ten times a second.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
