"""Makes zips of units: the same bytes whenever the files are the same."""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cloud._dependencies.archives import Archive, look_at, remember, unreadable
from cloud._dependencies.units import Unit
from cloud._errors import CloudException

# What the service takes, and what is unpacked in a sandbox.
MOST_BYTES, MOST_UNPACKED_BYTES = 500_000_000, 2_000_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Of what compresses at all this saves nearly as much as the default, in half the time.
_LEVEL = 3


def make_archive(unit: Unit, path: Path) -> Archive:
    """Write the unit's archive to the path. CloudException when a file cannot be read, or it is too large."""
    try:
        # Before it is packed, since that takes a minute for each gigabyte.
        _check_size(unit, unit.size(), MOST_UNPACKED_BYTES, "in files")
        seen = look_at(unit)
        if unit.kind == "zip":
            shutil.copyfile(unit.origin, path)
        else:
            _write(unit, path)
    except OSError as problem:
        raise unreadable(unit, problem) from problem
    with path.open("rb") as file:
        archive = Archive(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    _check_size(unit, archive.size, MOST_BYTES, "as an archive")
    remember(unit, archive, seen)
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


def _check_size(unit: Unit, size: int, most: int, how: str) -> None:
    if size > most:
        raise CloudException(
            f"{unit.label} from {unit.origin} takes {size:,} bytes {how}; {most:,} is the limit. "
            "Use an environment that has it, or keep its data in cloud.files.",
            status="archive_too_large",
        )
