"""What travels as a whole, in one archive: a distribution, a package, a module, a zip with modules in it."""

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES

from cloud._dependencies.installed import Distribution, canonical
from cloud._dependencies.places import Place

# Of no use there, and often larger than what they stand beside.
_NO_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    | {"node_modules", ".ipynb_checkpoints", ".idea", ".vscode", ".eggs"}
)
_NO_FILES = frozenset({".DS_Store"})

Files = list[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class Unit:
    """One thing to send. `key` tells it from all others of this machine."""

    key: str
    name: str
    version: str
    kind: str  # distribution, editable, package, module, namespace, zip
    origin: str
    top: str = ""
    distribution: Distribution | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        if self.kind == "editable" and canonical(self.top) != canonical(self.name):
            return f"{self.top} of {self.name} {self.version}"
        return f"{self.name} {self.version}".strip()

    def names(self) -> set[str]:
        """The names that a whitelist may have it under."""
        return {self.name, canonical(self.name), *([self.top] if self.top else [])}

    def files(self) -> Files:
        """Name in the archive and path of each of its files, in order."""
        return [(name, path) for name, path in self._listed() if os.path.isfile(path)]

    def _listed(self) -> Files:
        """Its files as they are listed; of an installed one some may have been removed."""
        distribution = self.distribution
        if self.kind == "zip":
            found = [(os.path.basename(self.origin), self.origin)]
        elif self.kind == "distribution" and distribution is not None:
            found = _installed_files(distribution)
        else:
            found = list(_files_below(self.origin, self.top))
        if self.kind == "editable" and distribution is not None:
            found += distribution.metadata_files()
        return sorted(found)

    def fingerprint(self) -> str:
        """Changes whenever a file of it does, as far as sizes and times tell."""
        digest = hashlib.sha256()
        for name, path in self._listed():
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            line = f"{name}\0{path}\0{status.st_size}\0{status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def stamp(self) -> object:
        """As the fingerprint, but of an installed distribution only whether it was installed anew."""
        if self.kind == "distribution" and self.distribution is not None:
            record = os.path.join(self.distribution.metadata, "RECORD")
            status = os.stat(record if os.path.exists(record) else self.distribution.metadata)
            return status.st_mtime_ns, status.st_size
        return self.fingerprint()

    def extensions(self) -> list[str]:
        """Paths of compiled modules in it."""
        suffixes = tuple(EXTENSION_SUFFIXES)
        return [path for _, path in self.files() if path.endswith(suffixes)]

    def size(self) -> int:
        """Bytes of its files."""
        return sum(os.path.getsize(path) for _, path in self.files())


def of_distribution(distribution: Distribution) -> Unit:
    """A distribution from site-packages, whole."""
    return Unit(
        key=f"distribution {distribution.metadata}",
        name=distribution.name,
        version=distribution.version,
        kind="distribution",
        origin=distribution.folder,
        distribution=distribution,
    )


def of_place(place: Place, top: Place, owner: Distribution | None) -> Unit:
    """What a module that nobody has installed travels in: its top-level package, or itself."""
    if place.archive:
        return Unit(f"zip {place.archive}", os.path.basename(place.archive), "", "zip", place.archive)
    if not top.folders:
        kind, origin = "module", top.file
    elif top.file:
        kind, origin = "package", os.path.dirname(top.file)
    else:
        inside = place.file or place.folders[0]
        portions = [folder for folder in top.folders if inside == folder or inside.startswith(folder + os.sep)]
        kind, origin = "namespace", (portions or [top.folders[0]])[0]
    if owner is None:
        return Unit(f"{kind} {origin}", top.name, "", kind, origin, top.name)
    return Unit(f"editable {origin}", owner.name, owner.version, "editable", origin, top.name, owner)


def _installed_files(distribution: Distribution) -> Files:
    names = distribution.record
    if names is None:
        return _unlisted_files(distribution)
    found = {}
    for name in names:
        top = name.partition("/")[0]
        # Scripts and data lie outside; a module that the standard library has too would hide that one.
        if top in ("..", "") or name.startswith("/") or top.partition(".")[0] in sys.stdlib_module_names:
            continue
        parts = name.split("/")
        if "__pycache__" in parts or ".." in parts or parts[-1] == "direct_url.json":
            continue
        found[name] = f"{distribution.folder}{os.sep}{name}"
    return list(found.items())


def _unlisted_files(distribution: Distribution) -> Files:
    """Of a distribution of the operating system, which does not say which files are its own."""
    found = distribution.metadata_files()
    for top in distribution.tops or [canonical(distribution.name).replace("-", "_")]:
        path = os.path.join(distribution.folder, top)
        if os.path.isdir(path):
            found += _files_below(path, top)
        elif os.path.isfile(f"{path}.py"):
            found.append((f"{top}.py", f"{path}.py"))
        found += [(f"{top}{suffix}", path + suffix) for suffix in EXTENSION_SUFFIXES if os.path.isfile(path + suffix)]
    return found


def _files_below(root: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The files of a package, with those that links lead to."""
    if os.path.isfile(root):
        yield os.path.basename(root), root
        return
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if name not in _NO_FOLDERS]
        inside = os.path.relpath(folder, root)
        for name in names:
            path = os.path.join(folder, name)
            if name not in _NO_FILES and os.path.isfile(path):
                yield os.path.normpath(os.path.join(prefix, inside, name)).replace(os.sep, "/"), path
