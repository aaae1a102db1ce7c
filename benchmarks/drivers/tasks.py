"""The work itself, the same for all contestants. Imports nothing but the standard library."""

import time
from collections.abc import Callable
from typing import Any


def same(item: Any) -> Any:
    """The no-op: what came goes back."""
    return item


def spin(milliseconds: int) -> int:
    """Use that much time of a core: processor time, so that two on one core take twice as long."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass
    return milliseconds


TASKS: dict[str, Callable[[Any], Any]] = {"same": same, "spin": spin}
