"""Every change to people and their keys."""

import secrets
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.models import NOTE_LENGTH, ApiKey, User, secret_hash
from common.exceptions import Conflict, NotFound, Refused

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def create_user(*, username: str, password: str, email: str = "", is_staff: bool = False) -> User:
    """A new account. Names and addresses that differ only in case count as the same.

    Raises Refused when the name, the password or the address will not do, Conflict when it is taken.
    """
    username = User.normalize_username(username)
    _check_new_user(username=username, password=password, email=email)
    user = User(username=username, email=email, is_staff=is_staff, is_superuser=is_staff)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict("username_taken", f"There is already an account named {username}.") from None
    return user


def _check_new_user(*, username: str, password: str, email: str) -> None:
    if not username or len(username) > 150:
        raise Refused("bad_username", "The user name must have 1 to 150 characters.")
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        raise Refused(
            "bad_username", f"The user name {username!r} may hold letters, digits and @ . + - _ only."
        ) from None
    if not password or not password.isprintable():
        raise Refused("bad_password", "The password must not be empty, nor hold control characters.")
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict("username_taken", f"There is already an account named {username}.")
    if email:
        check_email(email)


def check_email(email: str, *, except_user: User | None = None) -> None:
    """Raises Refused when it is no e-mail address or belongs to another account."""
    try:
        validate_email(email)
    except ValidationError:
        raise Refused("bad_email", f"{email!r} is not an e-mail address.") from None
    others = User.objects.filter(email__iexact=email)
    if except_user is not None:
        others = others.exclude(pk=except_user.pk)
    if others.exists():
        raise Conflict("email_taken", "This e-mail address belongs to another account.")


def sign_up(*, username: str, password: str, email: str = "") -> tuple[User, ApiKey, str]:
    """A new account with its first key, and the secret of that key, which is not kept."""
    if not settings.SIGN_UP_OPEN:
        raise Refused("sign_up_closed", "Sign-up is closed here. Ask the operator of this installation for an account.")
    with transaction.atomic():
        user = create_user(username=username, password=password, email=email)
        key, secret = create_api_key(user=user, note="first key")
    make_operator_of_fresh_installation(user)
    return user, key, secret


def make_operator_of_fresh_installation(user: User) -> None:
    """Let the only account of an installation that just its own machine can reach administer it.

    Two people who sign up first at the same moment may both be passed over; `create_account --staff` mends that.
    """
    hosts = {settings.HOST, urlsplit(settings.PUBLIC_URL).hostname or ""}
    if hosts.issubset(LOOPBACK_NAMES) and not User.objects.exclude(pk=user.pk).exists():
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])


def update_profile(*, user: User, email: str, time_zone: str) -> None:
    """Change the address that mail goes to and the zone that times are shown in."""
    if email:
        check_email(email, except_user=user)
    user.email = email or None
    user.time_zone = time_zone
    user.save(update_fields=["email", "time_zone"])


def create_api_key(*, user: User, note: str = "") -> tuple[ApiKey, str]:
    """A new key and its secret, which exists nowhere else: who loses it makes another key."""
    note = note.strip()
    if len(note) > NOTE_LENGTH:
        raise Refused("note_too_long", f"A note may have {NOTE_LENGTH} characters; this one has {len(note)}.")
    if not note.isprintable():
        raise Refused("bad_note", "A note is one line of text, without control characters.")
    secret = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(user=user, note=note, secret_sha256=secret_hash(secret))
    return key, secret


def deactivate_key(*, user: User, key_id: int) -> ApiKey:
    """From the next request on the key is refused."""
    return _set_active(user=user, key_id=key_id, is_active=False)


def activate_key(*, user: User, key_id: int) -> ApiKey:
    """Accept the key again, with the secret that it had."""
    return _set_active(user=user, key_id=key_id, is_active=True)


def _set_active(*, user: User, key_id: int, is_active: bool) -> ApiKey:
    key = ApiKey.objects.filter(user=user, pk=key_id).first()
    if key is None:
        raise NotFound("key_unknown", f"You have no API key {key_id}.")
    key.is_active = is_active
    key.save(update_fields=["is_active"])
    return key
