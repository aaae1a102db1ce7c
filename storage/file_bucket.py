"""The object store on a file system."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from storage.bucket import CHUNK, DiskFull, ObjectMissing, Readable

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def full_disk_is_refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull from error
        raise


def chunks_of(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


class FileBucket(FileSystemStorage):
    """Objects are files. One appears under its name only when all of it is written."""

    def put_bytes(self, key: str, data: bytes) -> None:
        self._write(key, (data,))

    def put_stream(self, key: str, stream: Readable) -> None:
        # People keep these, so they are on the disk before a row says so, even if the power fails. The bytes of
        # jobs are many and small, and are spared the wait.
        self._write(key, chunks_of(stream), durably=True)

    def _save(self, name: str, content: "File[bytes]") -> str:
        self._write(name, content.chunks(CHUNK))
        return name

    def _write(self, key: str, chunks: Iterable[bytes], *, durably: bool = False) -> None:
        path = self._path(key)
        # Beside its place, because only within one file system a rename is one step.
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with full_disk_is_refused():
            try:
                with _create(temporary) as file:
                    for chunk in chunks:
                        file.write(chunk)
                    if durably:
                        file.flush()
                        os.fsync(file.fileno())
                temporary.rename(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def _path(self, key: str) -> Path:
        return Path(self.path(key))

    def read_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        with self._open_object(key) as file:
            file.seek(start)
            return file.read(-1 if end is None else max(0, end - start))

    def read_stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        file = self._open_object(key)
        file.seek(start)
        return _rest_of(file, -1 if end is None else max(0, end - start))

    def _open_object(self, key: str) -> IO[bytes]:
        try:
            # Unbuffered: reads here are large, and a buffer would copy each of them once more.
            return self._path(key).open("rb", buffering=0)
        except FileNotFoundError:
            raise ObjectMissing(key) from None

    def keys_before(self, moment: datetime, prefix: str) -> Iterator[str]:
        for folder, _, names in os.walk(self.path(prefix)):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < moment.timestamp():
                        yield path.relative_to(self.location).as_posix()


def _create(path: Path) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    return os.fdopen(descriptor, "wb", buffering=CHUNK)


def _rest_of(file: IO[bytes], left: int) -> Iterator[bytes]:
    """The next `left` bytes of a file in chunks, or all of them when negative; closes it."""
    with file:
        while left and (chunk := file.read(min(CHUNK, left) if left > 0 else CHUNK)):
            yield chunk
            left = max(left - len(chunk), 0) if left > 0 else left
