"""What a pickle of the client calls inside the job to make the caller's own modules there."""

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

_MADE = "__made_by_picloud__"


def make_module(name: str) -> types.ModuleType:
    """The module of this name, made empty and importable if the job has none."""
    module = sys.modules.get(name)
    if module is None:
        module = sys.modules[name] = types.ModuleType(name)
        setattr(module, _MADE, True)
    return module


def fill_module(module: types.ModuleType, state: dict[str, Any]) -> None:
    """Give a module that was made here its variables, and its name in its package; leave any other as it is."""
    if not hasattr(module, _MADE):
        return
    module.__dict__.update(state)
    package, _, name = module.__name__.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], name, module)


def make_cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Callable[..., Any]:  # noqa: FBT001
    """The function with an empty cache of its results, as functools.lru_cache makes it."""
    return functools.lru_cache(maxsize=maxsize, typed=typed)(function)


class LeftBehind:
    """Stands in a module for a variable that could not travel; says so as soon as it is used."""

    def __init__(self, name: str, why: str) -> None:
        self.__dict__.update(name=name, why=why)

    def __getattr__(self, attribute: str) -> Any:
        raise RuntimeError(f"{self.name} stayed on the client: {self.why}. Make it inside the function that needs it.")

    def __call__(self, *_args: object, **_keywords: object) -> Any:
        """Fail as every use does."""
        return self.call

    def __enter__(self) -> Any:
        return self.enter

    def __exit__(self, *_error: object) -> None:
        """Never reached."""

    def __reduce__(self) -> tuple[Any, ...]:
        return LeftBehind, (self.__dict__["name"], self.__dict__["why"])
