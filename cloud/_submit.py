"""call and map: from a Python call to jobs on the service."""

import hashlib
import itertools
import json
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from cloud import _client, _packs
from cloud._config import config
from cloud._dependencies import foreign
from cloud._errors import CloudException
from cloud._options import take_reserved
from cloud._version import __version__

MAP_LIMIT = 10_000
_REQUEST_BYTES = 8_000_000
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_HOSTNAME = socket.gethostname()
# A closure is another function for each value it holds: a long-lived program must not collect them for ever.
_MOST_REMEMBERED = 10_000
_sent_functions: set[tuple[str, str, str]] = set()


def call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """Start func(*args, **kwargs) as one job and return its id at once.

    Keywords that begin with _ are options of the job (`_type`, `_cores`, `_label`, ...). TypeError when the arguments
    do not fit, PicklingError when one cannot travel, CloudException when the service refuses.
    """
    options, own = take_reserved(kwargs)
    pickling = _pickling()
    pickling.check_fits(func, args, own)
    modules: set[str] = set()
    function = pickling.dump_function(func, modules)
    item = pickling.dump_item(args, own, modules)
    _check_size(len(function) + len(item), "The function and its arguments")
    return _submit(func, function, [item], options, foreign(modules), is_map=False)[0]


def map(func: Callable[..., Any], *iterables: Iterable[Any], **reserved: Any) -> Sequence[int]:  # noqa: A001
    """Start func once for each set of items of the iterables, as jobs with successive ids; return the ids.

    Shorter iterables are filled up with None. At most 10,000 jobs a map; none for empty iterables.
    """
    options, own = take_reserved(reserved)
    if own:
        names = ", ".join(own)
        raise ValueError(f"cloud.map passes no keywords to the function: leave out {names}, or use functools.partial.")
    if not iterables:
        raise ValueError("cloud.map needs at least one iterable: give the function's arguments as lists.")
    pickling = _pickling()
    pickling.check_fits(func, tuple(None for _ in iterables), {})
    rows = rows_of(iterables)
    if not rows:
        return []
    modules: set[str] = set()
    function = pickling.dump_function(func, modules)
    items = [pickling.dump_item(row, {}, modules, item=index) for index, row in enumerate(rows)]
    largest = max(range(len(items)), key=lambda index: len(items[index]))
    _check_size(len(function) + len(items[largest]), f"The function and item {largest}")
    return _submit(func, function, items, options, foreign(modules), is_map=True)


def _pickling() -> ModuleType:
    # Imported with the first call: cloudpickle takes longer to import than the rest of this package.
    from cloud import _pickling  # noqa: PLC0415

    return _pickling


def _shipping() -> ModuleType:
    # Imported with the first function that needs a module which is not everywhere.
    from cloud._dependencies import shipping  # noqa: PLC0415

    return shipping


def rows_of(iterables: tuple[Iterable[Any], ...]) -> list[tuple[Any, ...]]:
    """The arguments of each item of a map. TypeError for what is not iterable, ValueError for too many."""
    for number, iterable in enumerate(iterables, start=1):
        if not isinstance(iterable, Iterable):
            raise TypeError(f"Argument {number} of cloud.map, {iterable!r}, is not iterable.")
    # One more than the limit is enough to know: an endless iterator must not be read to its end.
    rows = list(itertools.islice(itertools.zip_longest(*iterables), MAP_LIMIT + 1))
    if len(rows) > MAP_LIMIT:
        raise ValueError(f"cloud.map takes at most {MAP_LIMIT:,} items at a time, and here are more: split them.")
    return rows


def _check_size(size: int, what: str) -> None:
    if size > config.max_transmit_data:
        raise CloudException(
            f"{what} take {size:,} bytes as a pickle, and a job may have {config.max_transmit_data:,}: "
            "store the data with cloud.files.put and fetch it in the job with cloud.files.get.",
            status="too_large",
        )


def register(func: Callable[[], Any], options: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
    """Send func, which needs no arguments, as what a cron runs by these terms; the service's answer."""
    pickling = _pickling()
    names: set[str] = set()
    function = pickling.dump_function(func, names)
    item = pickling.dump_item((), {}, names)
    _check_size(len(function) + len(item), "The function")
    modules = foreign(names)
    header = _header(func, function, options, modules, total=1, is_map=False)
    header |= {"sizes": [len(item)], "cron": terms}
    return _post_with_modules(header, function, [item], modules, path="/api/v1/crons")


def _submit(
    func: Callable[..., Any],
    function: bytes,
    items: list[bytes],
    options: dict[str, Any],
    modules: frozenset[str],
    *,
    is_map: bool,
) -> range:
    header = _header(func, function, options, modules, total=len(items), is_map=is_map)
    answer: dict[str, Any] = {}
    first = 0
    for part in _parts(items):
        header |= {"first": first, "sizes": [len(item) for item in part]}
        answer = _post_with_modules(header, function, part, modules)
        first += len(part)
    return range(answer["first_jid"], answer["last_jid"] + 1)


def _header(
    func: Callable[..., Any],
    function: bytes,
    options: dict[str, Any],
    modules: frozenset[str],
    *,
    total: int,
    is_map: bool,
) -> dict[str, Any]:
    digest = hashlib.sha256(function).hexdigest()
    header = {
        # One for all retries and parts of this submit, so that the service can tell them from a new one.
        "idempotency_key": os.urandom(16).hex(),
        "map": is_map,
        "total": total,
        "function": {"digest": digest, "size": len(function), "name": name_of(func), "module": module_of(func)},
        "options": options,
        "client": {"python": _PYTHON, "version": __version__, "hostname": _HOSTNAME, "pid": os.getpid()},
    }
    if modules:
        header["modules"] = _shipping().modules_for(modules)
    return header


def _parts(items: list[bytes]) -> Iterable[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for item in items:
        if part and size + len(item) > _REQUEST_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item)
    yield part


def _post_with_modules(
    header: dict[str, Any], function: bytes, items: list[bytes], modules: frozenset[str], *, path: str = "/api/v1/jobs"
) -> dict[str, Any]:
    """Send one part; when the service has forgotten modules since they were sent, those first."""
    try:
        return _post(header, function, items, path)
    except CloudException as refusal:
        if refusal.status != "modules_unknown":
            raise
    header["modules"] = _shipping().send_again(modules, header["modules"])
    return _post(header, function, items, path)


def _post(header: dict[str, Any], function: bytes, items: list[bytes], path: str) -> dict[str, Any]:
    """Send one part, without the function when the server is believed to have it."""
    key = (*_client.server(), header["function"]["digest"])
    if key in _sent_functions:
        try:
            return _send({**header, "function": {**header["function"], "size": 0}}, items, path)
        except CloudException as refusal:
            if refusal.status != "function_unknown":
                raise
    answer = _send(header, [function, *items], path)
    if len(_sent_functions) >= _MOST_REMEMBERED:
        _sent_functions.clear()
    _sent_functions.add(key)
    return answer


def _send(header: dict[str, Any], blobs: list[bytes], path: str) -> dict[str, Any]:
    body = _packs.encode(header, blobs)
    response = _client.request("POST", path, body=body, content_type=_packs.CONTENT_TYPE)
    answer: dict[str, Any] = json.loads(response.body)
    return answer


def name_of(func: Callable[..., Any]) -> str:
    """How the function is called on pages, and found again when it is submitted anew."""
    inner = getattr(func, "func", func)  # functools.partial
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)


def module_of(func: Callable[..., Any]) -> str:
    """Where the function was defined."""
    inner = getattr(func, "func", func)
    return str(getattr(inner, "__module__", None) or type(inner).__module__)
