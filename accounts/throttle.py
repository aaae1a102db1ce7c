"""A limit on guessing: so many failures of one name from one address in a quarter of an hour."""

import hashlib
import logging
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from redis import Redis
from redis.exceptions import RedisError

from common.exceptions import Refused

logger = logging.getLogger(__name__)
WINDOW_SECONDS = 15 * 60
FAILURES_PER_NAME = 10
FAILURES_PER_ADDRESS = 100


class TooManyTries(Refused):
    status = 429


@cache
def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def _limits(request: HttpRequest, action: str, name: str) -> dict[str, int]:
    """The counters a try belongs to, and how far each may go. Names are hashed: people type passwords into them."""
    address = request.META.get("REMOTE_ADDR", "")
    digest = hashlib.sha256(name.casefold().encode(errors="replace")).hexdigest()[:32]
    return {
        f"picloud:tries:{action}:{address}:{digest}": FAILURES_PER_NAME,
        f"picloud:tries:{action}:{address}": FAILURES_PER_ADDRESS,
    }


def check_tries(request: HttpRequest, *, action: str, name: str) -> None:
    """Raises TooManyTries when this name, or this address, has failed too often of late."""
    limits = _limits(request, action, name)
    try:
        counts = _redis().mget(list(limits))
    except RedisError:
        # People who know their password must get in to see what is wrong.
        logger.error("tries are not counted: Redis does not answer")
        return
    if any(int(count or 0) >= limit for count, limit in zip(counts, limits.values(), strict=True)):
        raise TooManyTries("too_many_tries", "Too many failed tries. Wait a quarter of an hour, then try again.")


def count_try(request: HttpRequest, *, action: str, name: str) -> None:
    """Note a failure; it is forgotten a quarter of an hour after the first of its kind."""
    try:
        with _redis().pipeline() as pipeline:
            for key in _limits(request, action, name):
                pipeline.incr(key)
                pipeline.expire(key, WINDOW_SECONDS, nx=True)
            pipeline.execute()
    except RedisError:
        logger.error("a failed try was not counted: Redis does not answer")
