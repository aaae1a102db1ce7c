"""The question what a function would cost, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

from django.conf import settings

from common.exceptions import Refused
from jobs.services.submission import MAX_MODULES, Module, Options, parse_options

MAX_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Question:
    """A call or map that is not submitted: which function with which options, and how many runs of it.

    `digest` is that of the pickled function; `modules` is None when it is not known which archives would travel.
    """

    digest: str
    name: str
    module: str
    modules: tuple[Module, ...] | None
    options: Options
    count: int


def parse_question(raw: Mapping[str, Any]) -> Question:
    """Raises Refused, with what is wrong."""
    function = raw.get("function")
    if not isinstance(function, dict):
        raise Refused("bad_submit", "Say which function: function is an object with digest, name and module.")
    digest = function.get("digest")
    if not Module.is_digest(digest):
        raise Refused("bad_submit", "function.digest must be a SHA-256 in hexadecimal.")
    count = raw.get("count", 1)
    if type(count) is not int or not 1 <= count <= settings.MAX_MAP:
        raise Refused("bad_option", f"count must be a whole number from 1 to {settings.MAX_MAP:,}, not {shown(count)}.")
    return Question(
        digest=str(digest),
        name=_text(function, "name"),
        module=_text(function, "module"),
        modules=_modules(raw.get("modules", [])),
        options=parse_options(raw.get("options", {})),
        count=count,
    )


def _text(function: Mapping[str, Any], name: str) -> str:
    value = function.get(name, "")
    if not isinstance(value, str):
        raise Refused("bad_submit", f"function.{name} must be text.")
    return value[:MAX_NAME]


def _modules(raw: object) -> tuple[Module, ...] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or len(raw) > MAX_MODULES:
        raise Refused("bad_modules", f"modules must be a list of at most {MAX_MODULES} archives, or null.")
    for item in raw:
        if not (isinstance(item, dict) and Module.is_digest(item.get("digest")) and isinstance(item.get("name"), str)):
            raise Refused("bad_modules", f"modules: {shown(item)} must have a digest (SHA-256) and a name.")
    return tuple(Module(item["digest"], item["name"]) for item in raw)
