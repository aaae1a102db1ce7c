"""Zips of units, the same bytes for the same files, and the digests of those that were made before."""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cloud._dependencies import cache
from cloud._dependencies.units import Unit
from cloud._errors import CloudException

MOST_BYTES = 500_000_000
FORMAT = 1  # raise it when the same files would give another archive
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Of what compresses at all this saves nearly as much as the default, in half the time.
_LEVEL = 3
_known: dict[str, tuple[object, "Archive"]] = {}


class Archive(NamedTuple):
    """The digest and the bytes of a unit's archive."""

    digest: str
    size: int


def known_archive(unit: Unit) -> Archive | None:
    """The archive of the unit as it is now, if it was made before; None when it has to be made."""
    try:
        stamp = unit.stamp()
        found = _known.get(unit.key)
        if found is not None and found[0] == stamp:
            return found[1]
        stored = cache.get(_cache_key(unit))
        if stored is None or stored[0] != _fingerprint(unit):
            return None
    except OSError as problem:
        raise _unreadable(unit, problem) from problem
    archive = Archive(stored[1], stored[2])
    _known[unit.key] = (stamp, archive)
    return archive


def make_archive(unit: Unit, path: Path) -> Archive:
    """Write the unit's archive to the path. CloudException when a file cannot be read, or it is too large."""
    try:
        stamp, fingerprint = unit.stamp(), _fingerprint(unit)
        if unit.kind == "zip":
            shutil.copyfile(unit.origin, path)
        else:
            _write(unit, path)
    except OSError as problem:
        raise _unreadable(unit, problem) from problem
    with path.open("rb") as file:
        archive = Archive(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    if archive.size > MOST_BYTES:
        raise CloudException(
            f"{unit.label} takes {archive.size:,} bytes as an archive; {MOST_BYTES:,} is the limit. "
            "Use an environment that has it.",
            status="archive_too_large",
        )
    cache.put(_cache_key(unit), [fingerprint, *archive])
    _known[unit.key] = (stamp, archive)
    return archive


@contextmanager
def workshop() -> Iterator[Path]:
    """A directory to make archives in, which is gone afterwards."""
    with TemporaryDirectory(prefix="picloud-modules-") as name:
        yield Path(name)


def _write(unit: Unit, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as target:
        for name, source in unit.files():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 - open() has no parameter for it
            executable = os.stat(source).st_mode & stat.S_IXUSR
            member.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            member.file_size = os.path.getsize(source)
            with open(source, "rb") as file, target.open(member, "w") as place:
                shutil.copyfileobj(file, place, 1 << 18)


def _fingerprint(unit: Unit) -> str:
    return f"{FORMAT} {unit.fingerprint()}"


def _cache_key(unit: Unit) -> str:
    return f"archive {unit.key}"


def _unreadable(unit: Unit, problem: OSError) -> CloudException:
    return CloudException(f"{unit.label} cannot be read to be sent along: {problem}.", status="modules_unreadable")
