"""The object store, behind Django's Storage API: what its two backends promise beyond it.

Keys are made by the services here and never by people. An object is written whole or not at all,
and never changed: new bytes get a new key.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol, cast

from django.core.files.storage import default_storage

from common.exceptions import Refused

CHUNK = 256 * 1024


class ObjectMissing(Exception):
    """Raised when there is no object of that key."""


class DiskFull(Refused):
    """There is no room for these bytes."""

    status = 507

    def __init__(self) -> None:
        super().__init__(
            "disk_full", "The server's disk is full, so this was not stored. Delete files, or tell its operator."
        )


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bucket(Protocol):
    """`end` is exclusive everywhere; without it, to the last byte."""

    def put_bytes(self, key: str, data: bytes) -> None: ...

    def put_stream(self, key: str, stream: Readable) -> None:
        """Store all that the stream has. What the stream raises is passed on, and then nothing is stored."""

    def read_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes: ...

    def read_stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes in chunks. The object is opened at once, so deleting it later does not hurt."""

    def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""

    def keys_before(self, moment: datetime, prefix: str) -> Iterator[str]:
        """Keys below a prefix that ends in a slash, of objects last written before the moment."""


def bucket() -> Bucket:
    """The object store of this installation."""
    return cast(Bucket, default_storage)
