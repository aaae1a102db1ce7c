"""The way through Redis: who is told what. Only ids travel; the database is always read for the truth.

Everything here can be lost at any moment: the clock finds work without a ticket, and waiters look
again by themselves.
"""

import json
import logging
from functools import cache
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)


@cache
def connection() -> "redis.Redis":
    """The process's connection pool to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_CLIENT)


def text(value: bytes | str) -> str:
    """What Redis answered, as text: its client is made to answer bytes, and typed to answer either."""
    return value.decode() if isinstance(value, bytes) else value


def worker_key(name: str) -> str:
    """Where a worker tells about itself, in a hash that expires soon after the worker is gone. `*` matches all."""
    return f"picloud:worker:{name}"


def account_channel(account_id: int) -> str:
    return f"picloud:account:{account_id}"


def watched_key(account_id: int) -> str:
    """Set while a page of this account is open. New batches are announced only then: to wake the web process
    for each submit would cost more than the submit's own message."""
    return f"picloud:watched:{account_id}"


def mark_watched(account_id: int, *, seconds: int) -> None:
    """Say that a page of the account is open, for so long."""
    try:
        connection().set(watched_key(account_id), 1, ex=seconds)
    except redis.RedisError as error:
        logger.warning("an open page will hear of new jobs late: %s", error)


def log_channel(job_id: int) -> str:
    return f"picloud:log:{job_id}"


def publish_change(*, account_id: int, batch_ids: list[int], jids: list[tuple[int, int]] | None = None) -> None:
    """Tell whoever watches this account which batches changed, and which jobs finished (`jids`)."""
    message: dict[str, Any] = {"batches": batch_ids}
    if jids:
        message["finished"] = jids
    try:
        connection().publish(account_channel(account_id), json.dumps(message))
    except redis.RedisError as error:
        # Waiters poll the database too, so they are late and not lost.
        logger.warning("Redis did not take a message: %s", error)
