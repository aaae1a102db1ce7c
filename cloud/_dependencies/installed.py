"""The installed distributions: which one a file belongs to, what is in it, and what it requires."""

import csv
import json
import os
import re
import sys
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from cloud._dependencies import cache

_METADATA = (".dist-info", ".egg-info")
_LIBRARIES = ("site-packages", "dist-packages")
_LEFT_OUT = frozenset({"RECORD", "direct_url.json", "INSTALLER", "REQUESTED", "SOURCES.txt", "installed-files.txt"})


def canonical(name: str) -> str:
    """The name of a distribution as names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Requirement(NamedTuple):
    """A distribution that another one needs, and with which of its extras."""

    name: str
    extras: frozenset[str]


class Distribution:
    """One installed distribution, by the directory or file of its metadata.

    Read here and not through importlib.metadata, which takes as long to import as all the rest.
    """

    def __init__(self, metadata: str) -> None:
        self.metadata = metadata
        self.folder = os.path.dirname(metadata)

    def _text(self, name: str) -> str | None:
        try:
            return Path(self.metadata, name).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    @cached_property
    def _fields(self) -> dict[str, list[str]]:
        """The fields at the head of its metadata."""
        if os.path.isdir(self.metadata):
            text = self._text("METADATA") or self._text("PKG-INFO") or ""
        else:
            text = Path(self.metadata).read_text(encoding="utf-8", errors="replace")
        fields: dict[str, list[str]] = {}
        for line in text.partition("\n\n")[0].splitlines():
            name, colon, value = line.partition(": ")
            if colon and not line[0].isspace():
                fields.setdefault(name, []).append(value.strip())
        return fields

    @cached_property
    def name(self) -> str:
        base = os.path.basename(self.metadata).rpartition(".")[0]
        return self._fields.get("Name", [base.partition("-")[0]])[0]

    @cached_property
    def version(self) -> str:
        return self._fields.get("Version", [""])[0]

    @cached_property
    def record(self) -> list[str] | None:
        """Its files, relative to the directory that it is installed in; None when nothing lists them."""
        text = self._text("RECORD")
        return None if text is None else [row[0] for row in csv.reader(text.splitlines()) if row]

    @cached_property
    def tops(self) -> list[str]:
        """The names of its modules and packages, as far as its metadata tell."""
        return (self._text("top_level.txt") or "").split()

    @cached_property
    def tags(self) -> list[str]:
        """For which Pythons and platforms its wheel was built, such as cp311-cp311-manylinux_2_17_x86_64."""
        text = self._text("WHEEL") or ""
        return [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Tag:")]

    @cached_property
    def editable_root(self) -> str:
        """The directory of the project that it is a link to; empty when it is installed by itself."""
        url = json.loads(self._text("direct_url.json") or "{}")
        if url.get("dir_info", {}).get("editable"):
            return os.path.abspath(unquote(urlsplit(url["url"]).path))
        is_project = self.record is None and os.path.basename(self.folder) not in _LIBRARIES
        return self.folder if is_project and os.path.isdir(self.metadata) else ""

    def requirements(self, extras: frozenset[str]) -> list[Requirement]:
        """What it needs in this Python, with these extras of its own."""
        texts = self._fields.get("Requires-Dist")
        if not texts:
            return []
        stamp = [texts, sys.version]
        key = f"requires {self.metadata} {','.join(sorted(extras))}"
        known = cache.get(key)
        if known is None or known[0] != stamp:
            found = _parsed(texts, extras)
            cache.put(key, [stamp, [[one.name, sorted(one.extras)] for one in found]])
            return found
        return [Requirement(name, frozenset(asked)) for name, asked in known[1]]

    def metadata_files(self) -> list[tuple[str, str]]:
        """Name in an archive and path of each file of its metadata, without those that tell of this machine."""
        if not os.path.isdir(self.metadata):
            return [(os.path.basename(self.metadata), self.metadata)]
        base = os.path.basename(self.metadata)
        found = []
        for folder, _, names in os.walk(self.metadata):
            inside = os.path.relpath(folder, self.metadata)
            found += [
                (os.path.normpath(f"{base}/{inside}/{name}"), os.path.join(folder, name))
                for name in names
                if name not in _LEFT_OUT
            ]
        return found


def _parsed(texts: list[str], extras: frozenset[str]) -> list[Requirement]:
    # Imported for distributions that are new here: it takes as long as the rest of discovery.
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415
    from packaging.requirements import Requirement as Parsed  # noqa: PLC0415

    found = []
    for text in texts:
        try:
            parsed = Parsed(text)
        except InvalidRequirement:
            continue
        marker = parsed.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.append(Requirement(canonical(parsed.name), frozenset(parsed.extras)))
    return found


@lru_cache(maxsize=5000)
def distribution_at(metadata: str) -> Distribution:
    """The distribution with its metadata in this directory."""
    return Distribution(metadata)


class Library(NamedTuple):
    """A directory of sys.path with distributions in it: by canonical name, by top-level name, and links to projects."""

    folder: str
    by_name: dict[str, str]
    by_top: dict[str, list[str]]
    editable: dict[str, str]  # root of a project: metadata


def libraries() -> list[Library]:
    """Those on sys.path now. Each is read anew when something was installed or removed there."""
    found = []
    for folder in dict.fromkeys(map(os.path.abspath, sys.path)):
        try:
            changed = os.stat(folder).st_mtime_ns
        except OSError:
            continue
        library = _library(folder, changed)
        if library.by_name:
            found.append(library)
    return found


@lru_cache(maxsize=100)
def _library(folder: str, changed: int) -> Library:
    if not os.path.isdir(folder):
        return Library(folder, {}, {}, {})
    key = f"library {folder}"
    known = cache.get(key)
    if known is not None and known[0] == changed:
        return Library(folder, *known[1:])
    library = Library(folder, {}, {}, {})
    for entry in sorted(os.listdir(folder)):
        if entry.endswith(_METADATA):
            _enter(library, os.path.join(folder, entry))
    if library.by_name:
        cache.put(key, [changed, library.by_name, library.by_top, library.editable])
    return library


def _enter(library: Library, metadata: str) -> None:
    distribution = distribution_at(metadata)
    base = os.path.basename(metadata)
    name = base.rpartition(".")[0].partition("-")[0]
    library.by_name[canonical(name)] = metadata
    if distribution.editable_root:
        library.editable[distribution.editable_root] = metadata
    tops = {path.partition("/")[0] for path in distribution.record or ()} | set(distribution.tops)
    for top in tops - {"", "..", "__pycache__", base}:
        library.by_top.setdefault(top.partition(".")[0], []).append(metadata)


def distribution_named(name: str) -> Distribution | None:
    """The one that an import would find: the first on sys.path."""
    for library in libraries():
        if name in library.by_name:
            return distribution_at(library.by_name[name])
    return None


def owner_of(path: str) -> Distribution | None:
    """The distribution that a file or directory belongs to, also as a link to the project that it lies in."""
    best: tuple[int, str] | None = None
    for library in libraries():
        if path.startswith(library.folder + os.sep):
            found = _owner_in(library, os.path.relpath(path, library.folder))
            if found is not None and not found.editable_root:
                return found
        for root, metadata in library.editable.items():
            if path.startswith(root + os.sep) and (best is None or len(root) > best[0]):
                best = len(root), metadata
    return distribution_at(best[1]) if best else None


def _owner_in(library: Library, inside: str) -> Distribution | None:
    top = inside.partition(os.sep)[0].partition(".")[0]
    candidates = [distribution_at(metadata) for metadata in library.by_top.get(top, ())]
    if len(candidates) < 2:
        return next(iter(candidates), None)
    # Several share a namespace.
    wanted = inside.replace(os.sep, "/")
    return next((one for one in candidates if any(row.startswith(wanted) for row in one.record or ())), None)
