"""cloud.estimate: what a call or map would take and cost, before anything runs."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from cloud import _client
from cloud._dependencies import foreign
from cloud._options import take_reserved
from cloud._submit import module_of, name_of, rows_of


def estimate(func: Callable[..., Any], *sequences: Iterable[Any], **reserved: Any) -> dict[str, Any]:
    """What cloud.map(func, *sequences, **reserved) would take and cost, or one call without sequences. Nothing is sent.

    'words' says it in a sentence; 'seconds' of each, 'core_hours' and 'price' of all have 'expected', 'low' and 'high',
    and are None when 'runs', the number of earlier runs that it rests on, is 0.
    """
    options, own = take_reserved(reserved)
    if own:
        names = ", ".join(own)
        raise ValueError(f"cloud.estimate takes options that begin with _ and no keywords of the function: {names}.")
    count = len(rows_of(sequences)) if sequences else 1
    if not count:
        raise ValueError("cloud.estimate was given no items: a map of nothing takes and costs nothing.")
    return ask(func, options, count=count)


def ask(func: Callable[..., Any], options: dict[str, Any], *, count: int) -> dict[str, Any]:
    """What so many runs of func would take and cost."""
    # It takes longer to import than the rest of this package.
    from cloud._pickling import dump_function  # noqa: PLC0415

    if not callable(func):
        raise TypeError(f"cloud.estimate takes a function, not {func!r}.")
    names: set[str] = set()
    function = dump_function(func, names)
    digest = hashlib.sha256(function).hexdigest()
    body: dict[str, Any] = {
        "function": {"digest": digest, "name": name_of(func), "module": module_of(func)},
        "options": options,
        "count": count,
    }
    if modules := foreign(names):
        # Imported with the first function that needs a module which is not everywhere.
        from cloud._dependencies.shipping import known_modules_for  # noqa: PLC0415

        body["modules"] = known_modules_for(modules)
    answer: dict[str, Any] = _client.request_json("POST", "/api/v1/estimate", body)
    return answer
