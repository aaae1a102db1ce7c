"""A call is fitted to the function's signature before anything is sent."""

import inspect
from typing import Any


def check_needs_nothing(function: object) -> None:
    """TypeError when it is no function, ValueError with a sentence when it cannot be called without arguments."""
    try:
        check_fits(function, (), {})
    except TypeError as problem:
        if not callable(function):
            raise
        raise ValueError(
            f"A cron calls its function without arguments, and {problem} Give the arguments with functools.partial."
        ) from None


def check_fits(function: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """TypeError with a sentence when the function cannot be called, or not with these arguments."""
    if not callable(function):
        raise TypeError(f"{function!r} is not callable: give the function itself, and its arguments after it.")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # Some built-in functions have no signature to compare with.
    try:
        signature.bind(*args, **kwargs)
    except TypeError as problem:
        name = getattr(function, "__qualname__", None) or repr(function)
        raise TypeError(f"{name}{signature} cannot be called like this: {problem}.") from None
