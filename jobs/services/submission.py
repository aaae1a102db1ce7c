"""What a submit says, and the checks that need no database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from reprlib import repr as shown
from typing import Any, NamedTuple

from django.conf import settings

from common.exceptions import Refused
from common.money import charge_of_dollars
from common.ranges import Range, count, disjoint

MAX_LABEL = 200
MAX_DEPENDENCIES = 10_000
MAX_ENV_VARS = 256
MAX_MODULES = 1000  # archives of one submit
MAX_COST = 1_000_000  # dollars; a charge of twice as much fits no column
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9A-Za-z_-]{8,64}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The reserved keywords of a submit, checked one by one."""

    type: str = "c1"
    cores: int = 1
    label: str = ""
    priority: int = 5
    max_runtime_ms: int | None = None
    max_charge: int | None = None
    restartable: bool = True
    kill_process: bool = False
    depends_on: tuple[Range, ...] = ()
    ignore_dependency_errors: bool = False
    env_vars: Mapping[str, str] = field(default_factory=dict)


class Module(NamedTuple):
    """An archive of modules that the function needs: its digest, and what people call it."""

    digest: str
    name: str

    @staticmethod
    def is_digest(value: object) -> bool:
        return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One submitting request: a function, its options, and items `first` to `first + len(sizes) - 1` of `total`.

    `function_bytes` is empty when the caller believes that the server has the function; `items` are the
    pickled arguments, one after another, never looked into here.
    """

    idempotency_key: str
    is_map: bool
    total: int
    first: int
    sizes: tuple[int, ...]
    items: bytes | memoryview
    function_digest: str
    function_bytes: bytes
    function_name: str
    function_module: str
    options: Options
    client: Mapping[str, Any]
    modules: tuple[Module, ...] = ()


def _refuse(code: str, message: str) -> Refused:
    return Refused(code, message)


def _whole(name: str, value: object, *, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _refuse("bad_option", f"{name} must be a whole number from {low} to {high}, not {shown(value)}.")
    return value


def _flag(name: str, value: object) -> bool:
    if type(value) is not bool:
        raise _refuse("bad_option", f"{name} must be true or false, not {shown(value)}.")
    return value


def _label(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise _refuse("bad_label", f"The label {shown(value)} must be printable ASCII text.")
    if len(value) > MAX_LABEL:
        raise _refuse("bad_label", f"The label has {len(value)} characters; {MAX_LABEL} is the limit.")
    return value


def _max_runtime_ms(value: object) -> int | None:
    """Minutes to milliseconds."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 525_600:
        raise _refuse(
            "bad_option", f"max_runtime must be a number of minutes above 0 (a year at most), not {shown(value)}."
        )
    return max(1, round(value * 60_000))


def _max_charge(value: object) -> int | None:
    """Dollars to a charge."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_COST:
        raise _refuse(
            "bad_option", f"max_cost must be a number of dollars above 0, {MAX_COST:,} at most, not {shown(value)}."
        )
    # By its digits: 0.1 is a tenth, whatever a float makes of it.
    return max(1, charge_of_dollars(Decimal(str(value))))


def parse_ranges(value: object, *, what: str = "jids", limit: int = MAX_DEPENDENCIES) -> tuple[Range, ...]:
    """Inclusive ranges [[first, last], ...] of jids. Raises Refused."""
    if not isinstance(value, list):
        raise _refuse("bad_jids", f"{what} must be a list of [first, last] ranges.")
    ranges = []
    for item in value:
        pair = [item, item] if type(item) is int else item
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(end) is int for end in pair)):
            raise _refuse("bad_jids", f"{what} must be a list of [first, last] ranges; {shown(item)} is none.")
        if not 1 <= pair[0] <= pair[1] < 2**62:
            raise _refuse("bad_jids", f"{what}: {pair[0]}-{pair[1]} is not a range of jids; they count from 1.")
        ranges.append((pair[0], pair[1]))
    ranges = disjoint(ranges)
    if count(ranges) > limit:
        raise _refuse("too_many_jids", f"{what} name {count(ranges)} jobs; {limit} is the limit of one request.")
    return tuple(ranges)


def _is_storable(text: object) -> bool:
    """Text that both databases and an environment can hold: no NUL, no halves of characters."""
    return isinstance(text, str) and len(text) <= 32_000 and not re.search("[\0\ud800-\udfff]", text)


def _env_vars(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_ENV_VARS:
        raise _refuse("bad_option", f"env_vars must be an object of at most {MAX_ENV_VARS} names and texts.")
    for name, text in value.items():
        if not (_ENV_NAME.fullmatch(name) and _is_storable(text)):
            raise _refuse(
                "bad_option", f"env_vars: {shown(name)} must be a variable name with a text up to 32,000 characters."
            )
    return value


def parse_options(raw: object) -> Options:
    """The options of a submit as JSON brings them. Raises Refused, naming the first one that is wrong."""
    if not isinstance(raw, dict):
        raise _refuse("bad_option", "options must be an object.")
    known = {
        "type", "cores", "label", "priority", "max_runtime", "max_cost", "restartable",
        "kill_process", "depends_on", "depends_on_errors", "env_vars",
    }  # fmt: skip
    unknown = sorted(set(raw) - known)
    if unknown:
        raise _refuse("unknown_option", f"Unknown option {shown(unknown[0])}; known are {', '.join(sorted(known))}.")
    core_type = raw.get("type", "c1")
    if not isinstance(core_type, str):
        raise _refuse("bad_option", f"type must be the name of a core type, not {shown(core_type)}.")
    on_errors = raw.get("depends_on_errors", "abort")
    if on_errors not in ("abort", "ignore"):
        raise _refuse("bad_option", f"depends_on_errors must be 'abort' or 'ignore', not {shown(on_errors)}.")
    return Options(
        type=core_type,
        cores=_whole("cores", raw.get("cores", 1), low=1, high=1024),
        label=_label(raw.get("label")),
        priority=_whole("priority", raw.get("priority", 5), low=-1_000_000, high=1_000_000),
        max_runtime_ms=_max_runtime_ms(raw.get("max_runtime")),
        max_charge=_max_charge(raw.get("max_cost")),
        restartable=_flag("restartable", raw.get("restartable", True)),
        kill_process=_flag("kill_process", raw.get("kill_process", False)),
        depends_on=parse_ranges(raw.get("depends_on", []), what="depends_on"),
        ignore_dependency_errors=on_errors == "ignore",
        env_vars=_env_vars(raw.get("env_vars", {})),
    )


def _text(raw: Mapping[str, Any], name: str, limit: int = 200) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str):
        raise _refuse("bad_submit", f"function.{name} must be text.")
    # Names come from anywhere: keep what can be shown, and never refuse a job for its name.
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)[:limit]


def _client(raw: object) -> dict[str, Any]:
    """What is kept of what a client tells of itself: the known parts, each short."""
    if not isinstance(raw, dict):
        return {}
    texts = {name: _text(raw, name) for name in ("python", "version", "hostname") if isinstance(raw.get(name), str)}
    pid = raw.get("pid")
    return {**texts, "pid": pid} if type(pid) is int and 0 <= pid < 2**63 else texts


def _modules(raw: object) -> tuple[Module, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_MODULES:
        raise _refuse("bad_modules", f"modules must be a list of at most {MAX_MODULES} archives.")
    for item in raw:
        if not (isinstance(item, dict) and Module.is_digest(item.get("digest")) and _is_storable(item.get("name"))):
            raise _refuse("bad_modules", f"modules: {shown(item)} must have a digest (SHA-256) and a name.")
    modules = tuple(Module(item["digest"], _text(item, "name")) for item in raw)
    if len({module.digest for module in modules}) < len(modules):
        raise _refuse("bad_modules", "modules: each archive stands in the list once.")
    return modules


def _sizes(raw: object) -> tuple[int, ...]:
    if not isinstance(raw, list) or not raw or not all(type(size) is int and size >= 0 for size in raw):
        raise _refuse("bad_submit", "sizes must be a list with the number of bytes of each item.")
    largest = max(raw)
    if largest > settings.MAX_PAYLOAD:
        raise _refuse(
            "payload_too_large",
            f"The arguments of one job have {largest:,} bytes; {settings.MAX_PAYLOAD:,} is the limit. "
            "Put large data in cloud.files and pass the name.",
        )
    return tuple(raw)


def parse_submission(header: object, body: memoryview) -> Submission:
    """A submitting request from its header and what follows it. Raises Refused."""
    if not isinstance(header, dict) or not isinstance(header.get("function"), dict):
        raise _refuse("bad_submit", "The header must be an object with a function.")
    function = header["function"]
    sizes = _sizes(header.get("sizes"))
    key = header.get("idempotency_key")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise _refuse("bad_submit", "idempotency_key must be 8 to 64 letters, digits, '-' or '_'.")
    digest = function.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _refuse("bad_submit", "function.digest must be a SHA-256 in hexadecimal.")
    function_size = _whole("function.size", function.get("size", 0), low=0, high=2**40)
    if function_size > settings.MAX_PAYLOAD:
        raise _refuse(
            "payload_too_large",
            f"The function has {function_size:,} bytes; {settings.MAX_PAYLOAD:,} is the limit. "
            "It may carry large data in a closure or a global: put that in cloud.files.",
        )
    if function_size + sum(sizes) != len(body):
        raise _refuse(
            "bad_submit", f"The body has {len(body)} bytes where the header announces {function_size + sum(sizes)}."
        )
    total = _whole("total", header.get("total", len(sizes)), low=1, high=2**31)
    if total > settings.MAX_MAP:
        raise _refuse("map_too_large", f"A map has {settings.MAX_MAP:,} jobs at most, not {total:,}.")
    first = _whole("first", header.get("first", 0), low=0, high=total - 1)
    if first + len(sizes) > total:
        raise _refuse("bad_submit", f"Items {first}-{first + len(sizes) - 1} do not fit a map of {total}.")
    return Submission(
        idempotency_key=key,
        is_map=_flag("map", header.get("map", False)),
        total=total,
        first=first,
        sizes=sizes,
        items=body[function_size:],
        function_digest=digest,
        function_bytes=bytes(body[:function_size]),
        function_name=_text(function, "name") or "?",
        function_module=_text(function, "module"),
        options=parse_options(header.get("options", {})),
        client=_client(header.get("client")),
        modules=_modules(header["modules"]) if "modules" in header else (),
    )
