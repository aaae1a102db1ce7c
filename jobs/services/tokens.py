"""The short-lived credential of a running job, so that `cloud.call` works inside it."""

from django.core import signing

from accounts.models import User
from common.exceptions import Refused
from jobs.models import Job
from jobs.states import Status

_SALT = "jobs.run"
# A run this long renews nothing: the token is checked against the job's own state, not a clock alone.
_MAX_AGE_SECONDS = 366 * 24 * 3600


# Made once: the key of a signer is derived with several hashes.
_signer = signing.TimestampSigner(salt=_SALT)


def token_for_run(*, account_id: int, worker: str, jids: list[int]) -> str:
    """A token that stands for the account while one of these jobs runs on this worker."""
    return _signer.sign_object([account_id, worker, jids[0], jids[-1]])


def account_for_token(token: str) -> tuple[User, int]:
    """The account and the jid of the running job behind a token. Raises Refused when it is not running any more."""
    refused = Refused("bad_token", "This job token is not valid: the job it was made for is not running.")
    refused.status = 401
    try:
        account_id, worker, first, last = _signer.unsign_object(token, max_age=_MAX_AGE_SECONDS)
    except signing.BadSignature:
        raise refused from None
    job = (
        Job.objects.filter(
            account_id=account_id, jid__range=(first, last), worker=worker, status=Status.PROCESSING,
            account__is_active=True,
        )
        .select_related("account")
        .order_by("jid")
        .first()
    )  # fmt: skip
    if job is None:
        raise refused
    return job.account, job.jid
