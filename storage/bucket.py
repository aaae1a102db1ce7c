"""The object store, behind Django's Storage API: what its two backends promise beyond it.

Keys are made by the services here and never by people. An object is written whole or not at all,
and never changed: new bytes get a new key.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol, cast

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


class DirectBucket(Bucket, Protocol):
    """A bucket to which clients can be sent themselves."""

    def head(self, key: str) -> dict[str, Any]: ...

    def presign(self, operation: str, key: str, *, expires: int, **parameters: object) -> str: ...


def bucket() -> Bucket:
    """The object store of this installation."""
    return cast(Bucket, default_storage)


def direct_bucket() -> DirectBucket | None:
    """The object store, if clients can move bytes to and from it without us."""
    # Asked by name, because importing the S3 class would bring in boto3, half a second and 20 MB.
    return cast(DirectBucket, default_storage) if hasattr(default_storage, "presign") else None
