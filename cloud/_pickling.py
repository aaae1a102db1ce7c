"""Pickles of functions and arguments: what is in `__main__` or has no name travels by value, all else by its name.

Imported with the first call only, because cloudpickle costs more time than the rest of this package.
"""

import functools
import io
import pickle
import types
from collections.abc import Callable, Iterator
from typing import Any

import cloudpickle
from cloudpickle.cloudpickle import _extract_code_globals, _lookup_module_and_qualname, _should_pickle_by_reference

from cloud._dependencies.bytecode import imported_names
from cloud._remote import make_cached
from cloud._signatures import check_fits

__all__ = ["check_fits", "dump_function", "dump_item", "dumps"]

PROTOCOL = 5
_ATOMS = frozenset({int, float, str, bytes, bool, type(None), complex})
_DEEPEST_PATH = 12
_MOST_CHILDREN = 1000


class Pickler(cloudpickle.Pickler):
    """cloudpickle's, which also notes the names of all modules that the pickle will import."""

    def __init__(self, file: io.BytesIO, modules: set[str]) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self._modules = modules
        self._kinds: set[type] = set()

    def reducer_override(self, obj: Any) -> Any:
        """How to pickle what cloudpickle cannot take; its way for everything else."""
        kind = type(obj)
        if kind in _REDUCERS:
            self._note(getattr(obj, "__module__", None))
            return _REDUCERS[kind](obj)
        reduced = super().reducer_override(obj)
        if reduced is not NotImplemented:
            if kind is types.FunctionType:
                self._note_imports(obj)
        elif kind is types.FunctionType or issubclass(kind, type) or kind is types.BuiltinFunctionType:
            # By its name: what cloudpickle does when it has no other way.
            self._note(obj.__module__)
        elif kind is types.ModuleType:
            if _should_pickle_by_reference(obj):
                self._note(obj.__name__)
        elif kind not in self._kinds:
            self._kinds.add(kind)
            # What stands under a name in its module, such as a compiled function, is pickled by that name.
            if kind.__module__ != "builtins" and _should_pickle_by_reference(kind):
                self._note(kind.__module__)
        return reduced

    def _note(self, module: object) -> None:
        if isinstance(module, str):
            self._modules.add(module)

    def _note_imports(self, function: types.FunctionType) -> None:
        self._modules.update(imported_names(function.__code__, function.__globals__.get("__package__") or ""))


def dumps(value: object, modules: set[str]) -> bytes:
    """The pickle of any value; raises whatever the value's own pickling raises. Adds the modules that it needs."""
    with io.BytesIO() as buffer:
        Pickler(buffer, modules).dump(value)
        return buffer.getvalue()


def dump_function(function: object, modules: set[str]) -> bytes:
    """The pickle of a function; PicklingError names the part that cannot travel."""
    try:
        return dumps(function, modules)
    except Exception as problem:
        raise _error(_name(function), function, problem) from problem


def dump_item(args: tuple[Any, ...], kwargs: dict[str, Any], modules: set[str], *, item: int | None = None) -> bytes:
    """The pickle of one call's arguments; PicklingError names the part that cannot travel."""
    if not kwargs and all(type(argument) in _ATOMS for argument in args):
        return pickle.dumps((args, kwargs), PROTOCOL)
    try:
        return dumps((args, kwargs), modules)
    except Exception as problem:
        where = "" if item is None else f"item {item}, "
        for number, argument in enumerate(args, start=1):
            if not _travels(argument):
                raise _error(f"{where}argument {number}", argument, problem) from problem
        for name, argument in kwargs.items():
            if not _travels(argument):
                raise _error(f"{where}argument {name!r}", argument, problem) from problem
        raise pickle.PicklingError(f"{where}arguments: {problem}") from problem


def _reduce_cached(function: Any) -> Any:
    if _lookup_module_and_qualname(function) is None:
        settings = function.cache_parameters()
        return make_cached, (function.__wrapped__, settings["maxsize"], settings["typed"])
    return NotImplemented


def _reduce_cached_property(attribute: functools.cached_property[Any]) -> Any:
    # Up to Python 3.11 it holds a lock; a new one serves as well.
    return functools.cached_property, (attribute.func,), {"attrname": attribute.attrname, "__doc__": attribute.__doc__}


_REDUCERS: dict[type, Callable[[Any], Any]] = {
    type(functools.lru_cache(_reduce_cached_property)): _reduce_cached,
    functools.cached_property: _reduce_cached_property,
}


def _error(where: str, value: object, problem: Exception) -> pickle.PicklingError:
    path, culprit = _culprit(value, problem)
    if path := path.strip():
        return pickle.PicklingError(f"{where}: {path}: {culprit}")
    return pickle.PicklingError(f"{where}: {culprit}")


def _culprit(value: object, problem: Exception) -> tuple[str, Exception]:
    """The way to the innermost part that cannot be pickled, and what pickling it alone says."""
    path, seen = "", {id(value)}
    for _ in range(_DEEPEST_PATH):
        for step, child in _children(value):
            if id(child) in seen:
                continue
            seen.add(id(child))
            said = _refusal(child)
            if said is not None:
                path, value, problem = path + step, child, said
                break
        else:
            break
    return path, problem


def _children(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
        yield ".__func__", value.__func__
    elif isinstance(value, types.FunctionType):
        yield from _function_parts(value)
    elif isinstance(value, dict):
        yield from ((f"[{key!r}]", child) for key, child in list(value.items())[:_MOST_CHILDREN])
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", child) for index, child in enumerate(value[:_MOST_CHILDREN]))
    elif isinstance(value, set | frozenset):
        yield from (("{...}", child) for child in value)
    elif isinstance(value, types.ModuleType | type) or hasattr(value, "__dict__"):
        yield from ((f".{name}", child) for name, child in list(vars(value).items()) if name != "__builtins__")
    if hasattr(value, "func") and hasattr(value, "args") and hasattr(value, "keywords"):
        yield from ((f".{name}", getattr(value, name)) for name in ("func", "args", "keywords"))


def _function_parts(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f" variable {name!r}", cell.cell_contents
        except ValueError:
            continue
    for name in _extract_code_globals(function.__code__):
        if name in function.__globals__:
            yield f" global {name!r}", function.__globals__[name]
    if function.__defaults__:
        yield " defaults", function.__defaults__
    yield from ((f".{name}", child) for name, child in vars(function).items())


def _refusal(value: object) -> Exception | None:
    try:
        dumps(value, set())
    except Exception as problem:  # noqa: BLE001 - pickling runs the value's own code
        return problem
    return None


def _travels(value: object) -> bool:
    return _refusal(value) is None


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", None) or repr(function))
