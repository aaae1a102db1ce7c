"""The files of `cloud.files`: stored whole, replaced at once, deleted with their bytes."""

import mimetypes
import re
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Refused
from storage import selectors
from storage.bucket import Readable, bucket
from storage.models import StoredFile
from storage.names import check_name
from storage.services.objects import delete_key
from storage.services.streams import CheckedStream
from storage.services.transfers import count_transfer

MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*", re.ASCII)
UNKNOWN_TYPE = "application/octet-stream"


class TooLarge(Refused):
    """The file is over the limit."""

    status = 413


@dataclass(frozen=True, slots=True)
class NewObject:
    """Bytes that lie in the bucket and have no row yet."""

    key: str
    size: int
    md5: str
    content_type: str


def save_file(
    *, account: User, name: str, stream: Readable, size: int, content_type: str = "", md5: str | None = None
) -> StoredFile:
    """Store `size` bytes of the stream as the account's file of that name.

    1. The bytes go to a new key, a chunk at a time. 2. One transaction points the row at them.
    3. Then the bytes it had before are deleted. Whatever fails before 2 leaves the old file as it was.
    Raises Refused for a bad name, size or MD5, for a stream that ends early, and for a full disk.
    """
    name = check_name(name)
    check_size(size)
    checked = CheckedStream(stream, size=size, announced=md5 or "")
    key = new_key(account)
    bucket().put_stream(key, checked)
    # If this fails the bytes stay without a row until `remove_orphans` finds them: deleting them here
    # would lose the file if the commit went through and only its answer was lost.
    new = NewObject(key, size, checked.digest, media_type(content_type, name))
    with transaction.atomic():
        file = point_file_at(account=account, name=name, new=new)
        count_transfer(account.pk, came=size)
    return file


def check_size(size: int) -> None:
    if size < 0:
        raise Refused("bad_size", "The size of a file must not be negative.")
    if size > settings.MAX_FILE:
        raise TooLarge("file_too_large", f"The file has {size} bytes; {settings.MAX_FILE} are allowed.")


def new_key(account: User) -> str:
    return f"files/{account.pk}/{secrets.token_hex(16)}"


def media_type(announced: str, name: str) -> str:
    """What the sender said it is if that can stand in a header, else what the name suggests."""
    if announced and len(announced) <= 100 and MEDIA_TYPE.fullmatch(announced):
        return announced
    return mimetypes.guess_type(name)[0] or UNKNOWN_TYPE


def point_file_at(*, account: User, name: str, new: NewObject) -> StoredFile:
    """Make the account's file of that name be these bytes; the bytes it had are deleted after the commit."""
    values: dict[str, Any] = {
        "key": new.key,
        "size": new.size,
        "md5": new.md5,
        "content_type": new.content_type,
        "updated_at": timezone.now(),
    }
    with transaction.atomic():
        # Made first, in one statement that a rival cannot break; then locked and filled in.
        placeholder = StoredFile(account=account, name=name, **values)
        StoredFile.objects.bulk_create([placeholder], ignore_conflicts=True)
        file = StoredFile.objects.select_for_update().get(account=account, name=name)
        old_key = file.key
        if old_key != new.key:
            for field, value in values.items():
                setattr(file, field, value)
            file.save(update_fields=list(values))
            transaction.on_commit(partial(delete_key, old_key), robust=True)
    return file


def delete_file(*, account: User, name: str) -> None:
    """Delete a file and its bytes. Raises NotFound when the account has none of that name."""
    with transaction.atomic():
        file = selectors.file_for(account, name, lock=True)
        key = file.key
        file.delete()
        transaction.on_commit(partial(delete_key, key), robust=True)
