"""One subscription to Redis for everybody who waits in this process.

A message only says that something changed; whoever waits reads the database for what. So a lost
message costs time, never truth.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import redis.asyncio
import redis.exceptions
from django.conf import settings

logger = logging.getLogger(__name__)

PATTERN = "picloud:*"
RECONNECT_SECONDS = 1.0
MAX_WAITING = 1000  # messages for one slow listener; older ones are dropped, it re-reads anyway


class Listener:
    """Messages of one channel, from the moment it was made."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MAX_WAITING)

    def put(self, message: dict[str, Any]) -> None:
        if self._messages.full():
            self._messages.get_nowait()
        self._messages.put_nowait(message)

    async def next(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or None when none came in so many seconds."""
        if not self._messages.empty():
            return self._messages.get_nowait()
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await self._messages.get()
        except TimeoutError:
            return None


class Hub:
    """Passes on what is published in Redis to the listeners of this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def listen(self, channel: str) -> Iterator[Listener]:
        listener = Listener()
        self.add(listener, channel)
        try:
            yield listener
        finally:
            self.remove(listener, channel)

    def add(self, listener: Listener, channel: str) -> None:
        """Let it hear the channel. Also from another thread, unlike everything else here."""
        with self._lock:
            self._listeners[channel].add(listener)

    def remove(self, listener: Listener, channel: str) -> None:
        with self._lock:
            self._listeners[channel].discard(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]

    def _on(self, channel: str) -> list[Listener]:
        with self._lock:
            return list(self._listeners.get(channel, ()))

    async def run(self) -> None:
        """Keep the subscription until cancelled, through every outage of Redis."""
        while True:
            try:
                async with _subscription() as messages:
                    self._wake_all()
                    await self._pass_on(messages)
            except (redis.exceptions.RedisError, OSError) as error:
                logger.warning("waiting for Redis: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _pass_on(self, messages: Any) -> None:
        while True:
            message = await messages.get_message(ignore_subscribe_messages=True, timeout=60)
            if message is not None:
                for listener in self._on(message["channel"].decode()):
                    listener.put(json.loads(message["data"]))

    def _wake_all(self) -> None:
        """What was said while nobody listened is lost: let everybody look for themselves."""
        for channel in list(self._listeners):
            for listener in self._on(channel):
                listener.put({})


@contextlib.asynccontextmanager
async def _subscription() -> AsyncIterator[Any]:
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, **settings.REDIS_CLIENT)
    try:
        async with client.pubsub() as pubsub:
            await pubsub.psubscribe(PATTERN)
            yield pubsub
    finally:
        await client.aclose()
