"""Blobs: immutable bytes, kept once per account for as long as anything refers to them."""

import hashlib
import secrets
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Refused
from common.references import unreferenced
from common.sql import db_time, fetch_all
from storage.bucket import Readable, bucket
from storage.models import Blob
from storage.services.objects import delete_key
from storage.services.streams import CheckedStream

# As SQL, because each argument of each job passes here: 0.2 ms instead of 1.2.
HOLD = "SELECT id, size, inline, key FROM storage_blob WHERE account_id = %s AND digest = %s"
INSERT = (
    "INSERT INTO storage_blob (account_id, digest, size, inline, key, created_at) VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (account_id, digest) DO NOTHING RETURNING id"
)

# Below what SQLite takes as parameters of one statement.
DROPPED_AT_ONCE = 500


def put_blob(*, account: User, data: bytes, digest: str | None = None) -> Blob:
    """The blob of these bytes, stored if it was not. `digest` is what the sender says it is, and is checked.

    Call it inside the transaction that refers to the blob: until that ends, the blob cannot be dropped.
    """
    actual = hashlib.sha256(data).hexdigest()
    if digest is not None and digest != actual:
        raise Refused("bad_digest", "The bytes that arrived are not the ones that were sent. Send them again.")
    while True:
        blob = hold_blob(account=account, digest=actual) or _store(account=account, digest=actual, data=data)
        # None when a rival stored it and it was dropped again before we could hold it: then it is our turn.
        if blob is not None:
            return blob


def hold_blob(*, account: User, digest: str) -> Blob | None:
    """The blob of that digest, kept from being dropped until the transaction ends; None when there is none."""
    found = fetch_all(HOLD + _key_share(), (account.pk, digest))
    return _blob(account, digest, found[0]) if found else None


def put_large_blob(*, account: User, stream: Readable, size: int, digest: str) -> None:
    """Store `size` bytes of the stream, a chunk at a time. Raises Refused when they are not those of the digest.

    Nothing refers to the blob yet: for a while it is kept all the same, see `remove_orphans`.
    """
    checked = CheckedStream(stream, size=size, announced=digest, algorithm="sha256")
    key = _new_key(account, digest)
    bucket().put_stream(key, checked)
    _insert(account=account, digest=digest, size=size, key=key)


def _store(*, account: User, digest: str, data: bytes) -> Blob | None:
    if len(data) <= settings.INLINE_LIMIT:
        return _insert(account=account, digest=digest, size=len(data), inline=data)
    key = _new_key(account, digest)
    bucket().put_bytes(key, data)
    return _insert(account=account, digest=digest, size=len(data), key=key)


def _new_key(account: User, digest: str) -> str:
    # The suffix is new each time, so that dropping one blob never takes the bytes of its successor.
    return f"blobs/{account.pk}/{digest[:2]}/{digest}.{secrets.token_hex(4)}"


def _insert(*, account: User, digest: str, size: int, inline: bytes | None = None, key: str = "") -> Blob | None:
    new = fetch_all(INSERT, (account.pk, digest, size, inline, key, db_time(timezone.now())))
    if new:
        return _blob(account, digest, (new[0][0], size, inline, key))
    if key:
        bucket().delete(key)
    return hold_blob(account=account, digest=digest)


def _key_share() -> str:
    """On PostgreSQL a shared lock, so that submits of one function do not wait for each other as with FOR UPDATE.

    On SQLite nothing: a transaction that writes has the database to itself.
    """
    return " FOR KEY SHARE" if connection.vendor == "postgresql" else ""


def _blob(account: User, digest: str, row: tuple[Any, ...]) -> Blob:
    pk, size, inline, key = row
    # In the order of the model, as `from_db` takes them.
    fields = ["id", "account_id", "digest", "size", "inline", "key"]
    return Blob.from_db(connection.alias, fields, [pk, account.pk, digest, size, inline, key])


def drop_blobs_unreferenced(blob_ids: Iterable[int]) -> int:
    """Delete those of the blobs that nothing refers to any more; the number of them.

    Blobs that a transaction holds at this moment are left alone. Objects go after the commit.
    """
    ids = sorted(blob_ids)
    return sum(_drop(ids[start : start + DROPPED_AT_ONCE]) for start in range(0, len(ids), DROPPED_AT_ONCE))


def _drop(blob_ids: list[int]) -> int:
    with transaction.atomic():
        # Locked first, then looked at again: references that were made meanwhile are seen.
        locked = Blob.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        candidates = list(locked.filter(pk__in=blob_ids).values_list("pk", flat=True))
        unused = list(unreferenced(Blob.objects.filter(pk__in=candidates)).values_list("pk", "key"))
        Blob.objects.filter(pk__in=[pk for pk, _ in unused]).delete()
        for key in (key for _, key in unused if key):
            transaction.on_commit(partial(delete_key, key), robust=True)
    return len(unused)
