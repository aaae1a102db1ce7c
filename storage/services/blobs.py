"""Blobs: immutable bytes, kept once per account for as long as anything refers to them."""

import hashlib
import secrets
from collections.abc import Iterable
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from accounts.models import User
from common.exceptions import Refused
from storage.bucket import bucket
from storage.models import Blob
from storage.services.objects import delete_key


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
    if connection.vendor != "postgresql" or not connection.in_atomic_block:
        # On SQLite a transaction that writes has the database to itself.
        return Blob.objects.filter(account=account, digest=digest).first()
    # A shared lock: submits with the same function do not wait for each other, as with FOR UPDATE.
    return next(
        iter(
            Blob.objects.raw(
                "SELECT * FROM storage_blob WHERE account_id = %s AND digest = %s FOR KEY SHARE", [account.pk, digest]
            )
        ),
        None,
    )


def _store(*, account: User, digest: str, data: bytes) -> Blob | None:
    blob = Blob(account=account, digest=digest, size=len(data))
    if len(data) <= settings.INLINE_LIMIT:
        blob.inline = data
    else:
        # The suffix is new each time, so that dropping one blob never takes the bytes of its successor.
        blob.key = f"blobs/{account.pk}/{digest[:2]}/{digest}.{secrets.token_hex(4)}"
        bucket().put_bytes(blob.key, data)
    Blob.objects.bulk_create([blob], ignore_conflicts=True)
    stored = hold_blob(account=account, digest=digest)
    if blob.key and (stored is None or stored.key != blob.key):
        bucket().delete(blob.key)
    return stored


def drop_blobs_unreferenced(blob_ids: Iterable[int]) -> int:
    """Delete those of the blobs that nothing refers to any more; the number of them.

    Blobs that a transaction holds at this moment are left alone. Objects go after the commit.
    """
    with transaction.atomic():
        # Locked first, then looked at again: references that were made meanwhile are seen.
        locked = Blob.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        candidates = list(locked.filter(pk__in=list(blob_ids)).values_list("pk", flat=True))
        unused = list(_unreferenced().filter(pk__in=candidates).values_list("pk", "key"))
        Blob.objects.filter(pk__in=[pk for pk, _ in unused])._raw_delete(Blob.objects.db)
        for key in (key for _, key in unused if key):
            transaction.on_commit(partial(delete_key, key), robust=True)
    return len(unused)


def _unreferenced() -> QuerySet[Blob]:
    """Blobs without a row that refers to them, in whichever app that row is."""
    blobs = Blob.objects.all()
    for relation in Blob._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            references = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
            blobs = blobs.exclude(Exists(references))
    return blobs
