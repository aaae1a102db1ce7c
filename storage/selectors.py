"""Every read of stored bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import User
from common.exceptions import NotFound
from storage.bucket import bucket
from storage.models import Blob, StoredFile
from storage.names import check_name


def read_blob(blob: Blob, *, start: int = 0, end: int | None = None) -> bytes:
    """The bytes of a blob, or those from `start` up to and without `end`."""
    if blob.inline is not None:
        return bytes(memoryview(blob.inline)[start:end])
    return bucket().read_bytes(blob.key, start, end)


def read_bytes(key: str, start: int = 0, end: int | None = None) -> bytes:
    """The bytes of an object. Raises ObjectMissing."""
    return bucket().read_bytes(key, start, end)


def read_stream(key: str) -> Iterator[bytes]:
    """The bytes of an object in chunks. Raises ObjectMissing."""
    return bucket().read_stream(key)


def files_of(user: User) -> QuerySet[StoredFile]:
    """The user's files, by name."""
    return StoredFile.objects.filter(account=user).order_by("name")


def file_for(user: User, name: str, *, lock: bool = False) -> StoredFile:
    """The user's file of that name; another account's does not exist. Raises Refused for names no file can have."""
    files = files_of(user).select_for_update() if lock else files_of(user)
    name = check_name(name)
    file = files.filter(name=name).first()
    if file is None:
        raise NotFound("file_unknown", f"You have no file named {name!r}.")
    return file


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some of a user's files by name, and the name to go on after; None at the end."""

    files: list[StoredFile]
    next_after: str | None


def file_page(user: User, *, after: str = "", limit: int = 100) -> FilePage:
    """The files whose names come after `after`. However many there are, a page costs the same."""
    found = list(files_of(user).filter(name__gt=after)[: limit + 1])
    return FilePage(found[:limit], found[limit - 1].name if len(found) > limit else None)
