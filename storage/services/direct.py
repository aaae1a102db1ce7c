"""Uploads that go straight to the S3 service and leave only their bookkeeping to us."""

import re
from dataclasses import dataclass

from django.core import signing
from django.db import transaction

from accounts.models import User
from common.exceptions import Conflict, Refused
from storage.bucket import ObjectMissing, direct_bucket
from storage.models import StoredFile
from storage.names import check_name
from storage.services.files import NewObject, check_size, media_type, new_key, point_file_at
from storage.services.transfers import count_transfer

SALT = "storage.direct-upload"
URL_SECONDS = 15 * 60
# The address must be used soon, but five gigabytes take their time.
TOKEN_SECONDS = 24 * 3600
MD5 = re.compile("[0-9a-f]{32}")
PLAIN_ETAG = re.compile(f'"?({MD5.pattern})"?')


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """Where the client sends the bytes, with which headers, and what it hands back when it has."""

    url: str
    headers: dict[str, str]
    token: str


def prepare_direct_upload(*, account: User, name: str, size: int, content_type: str = "") -> DirectUpload | None:
    """A presigned place for a file of exactly `size` bytes; None when files go through this server."""
    name = check_name(name)
    check_size(size)
    store = direct_bucket()
    if store is None:
        return None
    key = new_key(account)
    content_type = media_type(content_type, name)
    url = store.presign("put_object", key, expires=URL_SECONDS, ContentType=content_type, ContentLength=size)
    token = signing.dumps([account.pk, name, key, size, content_type], salt=SALT)
    return DirectUpload(url, {"Content-Type": content_type, "Content-Length": str(size)}, token)


def finish_direct_upload(*, account: User, name: str, token: str, md5: str = "") -> StoredFile:
    """Make the uploaded bytes the file that was prepared. Doing it twice is harmless.

    Raises Refused when the token is not for this, or when the bytes are missing or not the announced ones.
    """
    name = check_name(name)
    if md5 and not MD5.fullmatch(md5):
        raise Refused("bad_md5", "`md5` must be the 32 hexadecimal digits of an MD5 sum.")
    prepared = _opened(token, account=account, name=name)
    done = StoredFile.objects.filter(account=account, key=prepared.key).first()
    if done is not None:
        return done
    md5 = _check_arrived(prepared, md5=md5)
    new = NewObject(prepared.key, prepared.size, md5, prepared.content_type)
    with transaction.atomic():
        file = point_file_at(account=account, name=name, new=new)
        count_transfer(account.pk, came=prepared.size)
    return file


def _opened(token: str, *, account: User, name: str) -> NewObject:
    try:
        account_id, prepared_name, key, size, content_type = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        raise Refused("bad_upload", "This upload was not prepared here or is over a day old. Start it again.") from None
    if (account_id, prepared_name) != (account.pk, name):
        raise Refused("bad_upload", "This upload was prepared for another file. Start it again.")
    return NewObject(key, size, "", content_type)


def _check_arrived(prepared: NewObject, *, md5: str) -> str:
    """The MD5 sum of the arrived bytes, where the service or the client tells it."""
    store = direct_bucket()
    if store is None:
        raise Refused("bad_upload", "This server does not take direct uploads any more. Start it again.")
    try:
        head = store.head(prepared.key)
    except ObjectMissing:
        raise Conflict("upload_missing", "The bytes of this upload have not arrived. Send them, then finish.") from None
    # A service that encrypts with its own keys has an ETag that is no MD5 sum.
    plain = head.get("ServerSideEncryption") in (None, "AES256") and PLAIN_ETAG.fullmatch(head["ETag"])
    found = plain.group(1) if plain else ""
    if head["ContentLength"] != prepared.size or (md5 and found and found != md5):
        store.delete(prepared.key)
        raise Refused("bad_md5", "The bytes that arrived are not the announced ones. Upload the file again.")
    return found or md5
