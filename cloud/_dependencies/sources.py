"""What a module's source imports, without running it."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from cloud._dependencies.bytecode import absolute

_DYNAMIC = frozenset({"import_module", "__import__"})


class Imports(NamedTuple):
    """Names that a source imports, modules or parts of one; and the lines of imports that nobody can follow."""

    names: tuple[str, ...]
    unfollowed: tuple[tuple[int, str], ...]


def imports_in(source: bytes, package: str) -> Imports:
    """What a module in this package imports anywhere, except for the type checker alone.

    Nothing for a source that is no Python: then its import says so in the job.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Imports((), ())
    names: dict[str, None] = {}
    unfollowed: list[tuple[int, str]] = []
    for node in _reached(tree):
        if isinstance(node, ast.Import):
            names.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node.module or "", node.level, package)
            names[base] = None
            names.update(dict.fromkeys(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Call) and _called(node) in _DYNAMIC:
            name = _constant_name(node, package)
            if name:
                names[name] = None
            else:
                unfollowed.append((node.lineno, ast.unparse(node)[:100]))
    return Imports(tuple(filter(None, names)), tuple(unfollowed))


def _reached(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below `if TYPE_CHECKING:`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _is_for_type_checker(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _is_for_type_checker(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", "") or getattr(call.func, "attr", ""))


def _constant_name(call: ast.Call, package: str) -> str:
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    level = len(first.value) - len(first.value.lstrip("."))
    return absolute(first.value.lstrip("."), level, package)
