"""Reserved keyword arguments: `_type=...` and its relatives, taken out of a call and checked."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from cloud._jids import as_sequence, to_ranges


def take_reserved(keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options for the service, and the keywords that belong to the caller's function."""
    reserved: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name, value in keywords.items():
        if name in RESERVED:
            reserved[name] = value
        elif name.startswith("_"):
            raise TypeError(
                f"{name!r} is no keyword of PiCloud, and keywords that begin with _ are never passed to the function. "
                f"Known ones: {' '.join(RESERVED)}."
            )
        else:
            own[name] = value
    return _options(reserved), own


def _options(reserved: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "type": "c1",
        "cores": 1,
        "label": "",
        "priority": 5,
        "max_runtime": None,
        "max_cost": None,
        "restartable": True,
        "kill_process": False,
        "depends_on": [],
        "depends_on_errors": "abort",
        "env_vars": {},
    }
    for name, value in reserved.items():
        if value is not None:
            key, checked = _CHECKS[name](name, value)
            options[key] = checked
    if reserved.get("_high_cpu") and reserved.get("_type") not in (None, "c2"):
        raise ValueError(f"_high_cpu=True means _type='c2', but _type is {reserved['_type']!r}: leave _high_cpu out.")
    if reserved.get("_high_cpu"):
        options["type"] = "c2"
    options.pop("high_cpu", None)
    return options


def _type(name: str, value: object) -> tuple[str, str]:
    if not isinstance(value, str):
        raise TypeError(f"{name} is the name of a core type such as 'c1', not {value!r}.")
    return "type", value


def _flag(name: str, value: object) -> tuple[str, bool]:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is True or False, not {value!r}.")
    return name[1:], value


def _truth(name: str, value: object) -> tuple[str, bool]:
    return name[1:], bool(value)


def _cores(name: str, value: object) -> tuple[str, int]:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError(f"{name} is a positive integer, not {value!r}.")
    return "cores", value


def _label(name: str, value: object) -> tuple[str, str]:
    if not isinstance(value, str) or not value.isascii():
        raise TypeError(f"{name} is a string of ASCII characters, not {value!r}.")
    return "label", value


def _priority(name: str, value: object) -> tuple[str, int]:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is an integer (lower runs earlier), not {value!r}.")
    return "priority", value


def _max_runtime(name: str, value: object) -> tuple[str, float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of minutes, not {value!r}.")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is a number of minutes above 0, not {value!r}.")
    return "max_runtime", value


def _max_cost(name: str, value: object) -> tuple[str, float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number of dollars, not {value!r}.")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is a number of dollars above 0, not {value!r}.")
    return "max_cost", value


def _depends_on(name: str, value: Any) -> tuple[str, list[list[int]]]:
    try:
        return "depends_on", to_ranges(as_sequence(value))
    except (TypeError, ValueError) as problem:
        raise type(problem)(f"{name}: {problem}") from problem


def _depends_on_errors(name: str, value: object) -> tuple[str, str]:
    if not isinstance(value, str) or value not in ("abort", "ignore"):
        raise ValueError(f"{name} is 'abort' or 'ignore', not {value!r}.")
    return "depends_on_errors", value


def _env_vars(name: str, value: object) -> tuple[str, dict[str, str]]:
    if isinstance(value, dict):
        wanted = value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        names = list(value)
        missing = [variable for variable in names if isinstance(variable, str) and variable not in os.environ]
        if missing:
            raise ValueError(f"{name}: {', '.join(missing)} is not set in this process; give a dict to set values.")
        wanted = {variable: os.environ.get(variable) if isinstance(variable, str) else None for variable in names}
    else:
        raise TypeError(f"{name} is an iterable of names or a dict of names and values, not {value!r}.")
    for variable, text in wanted.items():
        if not isinstance(variable, str) or not isinstance(text, str):
            raise TypeError(f"{name} holds strings only, not {variable!r}: {text!r}.")
    return "env_vars", wanted


_CHECKS: dict[str, Callable[[str, Any], tuple[str, Any]]] = {
    "_type": _type,
    "_high_cpu": _flag,
    "_cores": _cores,
    "_label": _label,
    "_priority": _priority,
    "_max_runtime": _max_runtime,
    "_max_cost": _max_cost,
    "_restartable": _flag,
    "_kill_process": _truth,
    "_depends_on": _depends_on,
    "_depends_on_errors": _depends_on_errors,
    "_os_env_vars": _env_vars,
}

RESERVED = tuple(_CHECKS)
