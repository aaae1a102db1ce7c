"""Who makes a request to the API: an API key, or a running job with its token."""

import base64
import binascii
from dataclasses import dataclass

from accounts.models import User
from accounts.selectors import Unauthorized, user_for_key
from jobs.services.tokens import account_for_token


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that a request acts for, and what makes it: an API key, or a job when it comes from inside one."""

    account: User
    jid: int | None = None
    api_key: int | None = None


def caller_of(authorization: str) -> Caller:
    """The caller named by an Authorization header. Sessions are no way in: a page of another site could use them.

    Raises Unauthorized.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        key_id, secret = _basic(credentials)
        return Caller(user_for_key(key_id, secret), api_key=int(key_id))
    if scheme.lower() == "bearer":
        account, jid = account_for_token(credentials.strip())
        return Caller(account, jid)
    raise Unauthorized("no_key", "Send an API key and its secret with HTTP Basic authentication.")


def _basic(credentials: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    key_id, _, secret = text.partition(":")
    return key_id, secret
