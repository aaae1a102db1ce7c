"""What a pickle of the client calls inside the job."""

import functools
from collections.abc import Callable
from typing import Any


def make_cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Callable[..., Any]:  # noqa: FBT001
    """The function with an empty cache of its results, as functools.lru_cache makes it."""
    return functools.lru_cache(maxsize=maxsize, typed=typed)(function)
