"""Where a module is, found without importing it."""

import os
import sys
import types
from collections.abc import Iterable
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pkgutil import get_importer
from typing import NamedTuple


class Place(NamedTuple):
    """A module that was found: its file, or the directories of a namespace package; in an archive, which one."""

    name: str
    file: str  # "" for a namespace package
    folders: tuple[str, ...]  # where its submodules are; none for a plain module
    archive: str = ""

    @property
    def is_source(self) -> bool:
        return self.file.endswith(".py")

    @property
    def package(self) -> str:
        """What relative imports in it start from."""
        return self.name if self.folders else self.name.rpartition(".")[0]


@lru_cache(maxsize=10_000)
def place_of(name: str) -> Place | None:
    """Where the module is; None when there is none of that name, or it was made at run time and has no file."""
    spec = _spec_of(name)
    if spec is None:
        return None
    folders = tuple(map(os.path.abspath, spec.submodule_search_locations or ()))
    archive = getattr(spec.loader, "archive", "") if type(spec.loader).__name__ == "zipimporter" else ""
    if archive:
        return Place(name, str(spec.origin), folders, os.path.abspath(archive))
    if spec.origin is None or not spec.has_location:
        return Place(name, "", folders) if folders else None
    return Place(name, os.path.abspath(spec.origin), folders)


def _spec_of(name: str) -> ModuleSpec | None:
    module = sys.modules.get(name)
    if isinstance(module, types.ModuleType):
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec):
            return spec
        file = getattr(module, "__file__", None)
        return spec_from_file_location(name, file) if isinstance(file, str) else None
    parent = name.rpartition(".")[0]
    try:
        if not parent:
            return find_spec(name)
        above = _spec_of(parent)
    except (ImportError, AttributeError, ValueError):
        return None
    return _spec_below(name, above.submodule_search_locations or ()) if above else None


def _spec_below(name: str, folders: Iterable[str]) -> ModuleSpec | None:
    """A submodule. importlib's find_spec would import its package first, which may do anything."""
    portions = []
    for folder in folders:
        finder = get_importer(folder)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        portions += (spec.submodule_search_locations or []) if spec is not None else []
    if not portions:
        return None
    namespace = ModuleSpec(name, None, is_package=True)
    namespace.submodule_search_locations = portions
    return namespace
