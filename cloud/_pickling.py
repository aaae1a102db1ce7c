"""Pickles of functions and arguments: what the caller wrote travels by value, what is installed by reference.

Imported with the first call only, because cloudpickle costs more time than the rest of this package.
"""

import functools
import io
import pickle
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import cloudpickle
from cloudpickle.cloudpickle import (
    _decompose_typevar,
    _dynamic_class_reduce,
    _extract_code_globals,
    _lookup_module_and_qualname,
    _make_typevar,
    _module_reduce,
)

from cloud._modules import is_own, own_imports
from cloud._remote import LeftBehind, fill_module, make_cached, make_module
from cloud._signatures import check_fits

__all__ = ["check_fits", "dump_function", "dump_item", "dumps"]

PROTOCOL = 5
_ATOMS = frozenset({int, float, str, bytes, bool, type(None), complex})
_MODULE_PARTS_LEFT_HERE = frozenset({"__builtins__", "__loader__", "__spec__", "__cached__"})
_DEEPEST_PATH = 12
_MOST_CHILDREN = 1000


class Pickler(cloudpickle.Pickler):
    """cloudpickle's, which also takes the caller's own modules by value, each time anew and in no global registry."""

    def reducer_override(self, obj: Any) -> Any:
        """How to pickle what the caller wrote; cloudpickle's way for everything else."""
        if isinstance(obj, types.FunctionType):
            if is_own(obj.__module__) or not _is_importable(obj):
                return self._reduce_function(obj)
            return NotImplemented
        kind = type(obj)
        if issubclass(kind, type):
            if is_own(obj.__module__):
                return _dynamic_class_reduce(obj)
        elif kind in _REDUCERS:
            return _REDUCERS[kind](obj)
        return super().reducer_override(obj)

    def _reduce_function(self, function: types.FunctionType) -> Any:
        reduced = self._dynamic_function_reduce(function)
        package = function.__globals__.get("__package__") or ""
        # cloudpickle loads what stands in this list before the function is made, and then forgets the list.
        reduced[2][1]["_cloudpickle_submodules"] += own_imports(function.__code__, package)
        return reduced


def dumps(value: object) -> bytes:
    """The pickle of any value; raises whatever the value's own pickling raises."""
    with io.BytesIO() as buffer:
        Pickler(buffer, protocol=PROTOCOL).dump(value)
        return buffer.getvalue()


def dump_function(function: object) -> bytes:
    """The pickle of a function; PicklingError names the part that cannot travel."""
    try:
        return dumps(function)
    except Exception as problem:
        with suppress(Exception):
            return _dumps_in_part(function, {})
        raise _error(_name(function), function, problem) from problem


def dump_item(args: tuple[Any, ...], kwargs: dict[str, Any], *, item: int | None = None) -> bytes:
    """The pickle of one call's arguments; PicklingError names the part that cannot travel."""
    if not kwargs and all(type(argument) in _ATOMS for argument in args):
        return pickle.dumps((args, kwargs), PROTOCOL)
    try:
        return dumps((args, kwargs))
    except Exception as problem:
        with suppress(Exception):
            return _dumps_in_part((args, kwargs), {})
        where = "" if item is None else f"item {item}, "
        for number, argument in enumerate(args, start=1):
            if not _travels(argument):
                raise _error(f"{where}argument {number}", argument, problem) from problem
        for name, argument in kwargs.items():
            if not _travels(argument):
                raise _error(f"{where}argument {name!r}", argument, problem) from problem
        raise pickle.PicklingError(f"{where}arguments: {problem}") from problem


class _ModulesInPart(Pickler):
    """Leaves behind what cannot travel of a whole module, because perhaps nobody needs it.

    `verdicts` tell of each value whether it travels, by its identity; `trying` are the modules being looked through.
    """

    def __init__(self, file: io.BytesIO, *, verdicts: dict[int, Exception | None], trying: frozenset[str]) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self._verdicts = verdicts
        self._trying = trying

    def reducer_override(self, obj: Any) -> Any:
        """How to pickle a module of the caller's own; the usual way for everything else."""
        if not isinstance(obj, types.ModuleType) or not is_own(obj.__name__):
            return super().reducer_override(obj)
        if obj.__name__ in self._trying:
            return make_module, (obj.__name__,)
        make, args, state, *rest = _reduce_module(obj)
        trying = self._trying | {obj.__name__}
        return make, args, {name: self._part(obj, name, value, trying) for name, value in state.items()}, *rest

    def _part(self, module: types.ModuleType, name: str, value: object, trying: frozenset[str]) -> object:
        if id(value) not in self._verdicts:
            self._verdicts[id(value)] = None
            try:
                _dumps_in_part(value, self._verdicts, trying)
            except Exception as problem:  # noqa: BLE001 - pickling runs the value's own code
                self._verdicts[id(value)] = problem
        verdict = self._verdicts[id(value)]
        return value if verdict is None else LeftBehind(f"{module.__name__}.{name}", str(verdict))


def _dumps_in_part(value: object, verdicts: dict[int, Exception | None], trying: frozenset[str] = frozenset()) -> bytes:
    with io.BytesIO() as buffer:
        _ModulesInPart(buffer, verdicts=verdicts, trying=trying).dump(value)
        return buffer.getvalue()


def _is_importable(function: object) -> bool:
    return bool(_lookup_module_and_qualname(function) is not None)


def _reduce_module(module: types.ModuleType) -> Any:
    if not is_own(module.__name__):
        return _module_reduce(module)
    state = {name: value for name, value in vars(module).items() if name not in _MODULE_PARTS_LEFT_HERE}
    return make_module, (module.__name__,), state, None, None, fill_module


def _reduce_type_variable(variable: TypeVar) -> Any:
    if is_own(variable.__module__):
        return _make_typevar, _decompose_typevar(variable)
    return NotImplemented


def _reduce_cached(function: Any) -> Any:
    if is_own(function.__module__) or not _is_importable(function):
        settings = function.cache_parameters()
        return make_cached, (function.__wrapped__, settings["maxsize"], settings["typed"])
    return NotImplemented


def _reduce_cached_property(attribute: functools.cached_property[Any]) -> Any:
    # Up to Python 3.11 it holds a lock; a new one serves as well.
    return functools.cached_property, (attribute.func,), {"attrname": attribute.attrname, "__doc__": attribute.__doc__}


_REDUCERS: dict[type, Callable[[Any], Any]] = {
    types.ModuleType: _reduce_module,
    TypeVar: _reduce_type_variable,
    type(functools.lru_cache(_is_importable)): _reduce_cached,
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
        dumps(value)
    except Exception as problem:  # noqa: BLE001 - pickling runs the value's own code
        return problem
    return None


def _travels(value: object) -> bool:
    return _refusal(value) is None


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", None) or repr(function))
