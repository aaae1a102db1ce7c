"""Which modules are the caller's own: they exist on no worker, so what they define travels by value."""

import dis
import sys
import sysconfig
import types
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_INSTALLED_PARTS = frozenset({"site-packages", "dist-packages"})
_OURS = "cloud"
_IMPORT_NAME = dis.opmap["IMPORT_NAME"]
_STANDARD = frozenset(
    {Path(path) for name in ("stdlib", "platstdlib") if (path := sysconfig.get_paths().get(name)) is not None}
)
_known: dict[tuple[str, str | None], bool] = {}


def is_own(name: object) -> bool:
    """Whether the named, imported module is the caller's own: neither standard, nor installed, nor this package."""
    if not isinstance(name, str) or name == "__main__":
        return False
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == _OURS:
        return False
    module = sys.modules.get(name)
    if not isinstance(module, types.ModuleType):
        return False
    key = name, getattr(module, "__file__", None)
    known = _known.get(key)
    if known is None:
        known = _known[key] = _has_own_source(module)
    return known


def own_imports(code: types.CodeType, package: str) -> list[types.ModuleType]:
    """The caller's own modules that the code imports when it runs, imported here so that they can travel.

    `package` is what relative imports in the code start from.
    """
    found: dict[str, types.ModuleType] = {}
    for name in _imported_names(code, package):
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            module = _imported_if_own(".".join(parts[:end]))
            if module is None:
                break
            found[module.__name__] = module
    return list(found.values())


def _imported_names(code: types.CodeType, package: str) -> list[str]:
    names: list[str] = []
    if _IMPORT_NAME in code.co_code[::2]:
        before: list[dis.Instruction] = []
        for instruction in dis.get_instructions(code):
            # The compiler loads two constants before an import: how many packages up, and the names wanted.
            if instruction.opcode == _IMPORT_NAME and len(before) == 2:
                base = _absolute(str(instruction.argval), int(before[0].argval), package)
                names += [base, *(f"{base}.{item}" for item in before[1].argval or ())]
            before = [*before[-1:], instruction]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _imported_names(constant, package)
    return names


def _absolute(name: str, level: int, package: str) -> str:
    if level == 0:
        return name
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base


def _imported_if_own(name: str) -> types.ModuleType | None:
    if name in sys.modules:
        return sys.modules[name] if is_own(name) else None
    if name.partition(".")[0] in sys.stdlib_module_names:
        return None
    # Whatever goes wrong with an import here is the job's to report, if it ever comes to that line there.
    with suppress(Exception):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None and _is_own_file(spec.origin):
            module = import_module(name)
            return module if is_own(name) else None
    return None


def _has_own_source(module: types.ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if file is not None:
        return _is_own_file(file)
    paths = list(getattr(module, "__path__", []))
    if paths:
        return _is_own_file(paths[0])
    return getattr(getattr(module, "__spec__", None), "origin", None) is None


def _is_own_file(file: str) -> bool:
    path = Path(file)
    if _INSTALLED_PARTS.intersection(path.parts) or path.suffix not in ("", ".py", ".pyc"):
        return False
    return not _STANDARD.intersection(path.parents)
