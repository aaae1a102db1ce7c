"""Every read of people and their keys."""

import hmac
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiKey, User, secret_hash
from common.exceptions import NotFound, Refused

# How exact `last_used_at` is; a write on each request would cost more than the request.
LAST_USED_STEP = timedelta(minutes=1)


class Unauthorized(Refused):
    """The request does not say who makes it, or says it wrongly."""

    status = 401


def user_for_key(key_id: str | int, secret: str) -> User:
    """The owner of an active key, in one query.

    Raises Unauthorized with `bad_key`, or with `key_inactive` when the secret is right but the key withdrawn.
    """
    key = _key_by_number(key_id)
    if not hmac.compare_digest(secret_hash(secret), key.secret_sha256 if key else "") or key is None:
        raise Unauthorized("bad_key", "The API key and its secret do not match. Run `picloud setup` with a valid key.")
    if not key.is_active:
        raise Unauthorized("key_inactive", f"API key {key.pk} is deactivated. Activate it or use another one.")
    if not key.user.is_active:
        raise Unauthorized("key_inactive", f"The account of API key {key.pk} is closed. Ask the operator.")
    _note_use(key)
    return key.user


def _key_by_number(key_id: str | int) -> ApiKey | None:
    text = str(key_id)
    # Eighteen digits fit a 64-bit column, longer numbers would be an error of the database.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    return ApiKey.objects.select_related("user").filter(pk=int(text)).first()


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USED_STEP:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The user's keys, newest first."""
    return ApiKey.objects.filter(user=user)


def key_for(user: User, key_id: int) -> ApiKey:
    """The user's key of this number; anybody else's does not exist."""
    key = keys_of(user).filter(pk=key_id).first()
    if key is None:
        raise NotFound("key_unknown", f"You have no API key {key_id}.")
    return key
