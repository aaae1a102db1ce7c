"""Making crons, replacing them under their label, and removing them."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Refused
from crons.models import Cron, Digest
from crons.selectors import cron_for
from crons.services.digests import next_digest
from crons.services.events import record_event
from crons.terms import Terms
from jobs.selectors.detail import job_for
from jobs.services import packs
from jobs.services.submission import Submission
from jobs.services.submit import columns_of, environment_for, run_columns
from storage.services import drop_blobs_unreferenced, put_blob

MOST_CRONS = 200_000  # of one account


def register(*, account: User, submission: Submission, terms: Terms, api_key: int | None = None) -> tuple[Cron, bool]:
    """Let the submission's function run by the terms; whether the label was new, or replaced what it named.

    A repeated request gets what the first got. Raises Refused when jobs could not run as asked.
    """
    _check_call(submission)
    environment_id = environment_for(submission)
    with transaction.atomic():
        old = _locked(account, terms.label)
        if old is not None and old.registration_key == submission.idempotency_key:
            return old, old.registration == 1
        blob = put_blob(account=account, data=packs.build_pack(submission.sizes, submission.items))
        columns = {
            "arguments_id": blob.pk,
            "registration_key": submission.idempotency_key,
            **run_columns(account, submission, environment_id, api_key=api_key),
        }
        cron, unused = _save(account, old, terms, columns)
    drop_blobs_unreferenced(unused)
    return cron, old is None


def _check_call(submission: Submission) -> None:
    if submission.total != 1 or submission.is_map:
        raise Refused("bad_submit", "A cron runs one call: register a function without arguments.")
    options = submission.options
    for name, is_set in (("depends_on", options.depends_on), ("label", options.label)):
        if is_set:
            raise Refused("bad_option", f"A cron takes no {name} among the options of its jobs.")


def schedule_job(*, account: User, jid: int, terms: Terms) -> tuple[Cron, bool]:
    """Let the function of a job, with its arguments and options, run by the terms.

    Raises NotFound for a job that this account does not have.
    """
    job = job_for(account=account, jid=jid)
    item = packs.read_item(job.batch, job.index)
    with transaction.atomic():
        old = _locked(account, terms.label)
        blob = put_blob(account=account, data=packs.build_pack([len(item)], item))
        columns = {"arguments_id": blob.pk, "registration_key": "", **columns_of(job.batch), "api_key": None}
        cron, unused = _save(account, old, terms, columns, detail=f"From job {jid}.")
    drop_blobs_unreferenced(unused)
    return cron, old is None


def deregister(*, account: User, label: str) -> None:
    """Remove a cron with its history. Its jobs stay, and what runs goes on. Raises NotFound."""
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        blobs = [cron.function_blob_id, cron.arguments_id]
        cron.delete()
    drop_blobs_unreferenced(blobs)


def _locked(account: User, label: str) -> Cron | None:
    return Cron.objects.select_for_update().filter(account=account, label=label).first()


def _save(
    account: User, old: Cron | None, terms: Terms, columns: dict[str, Any], *, detail: str = ""
) -> tuple[Cron, list[int]]:
    """The cron as it is to be, and the blobs that it had and may not need any more."""
    now = timezone.now()
    unused = [old.function_blob_id, old.arguments_id] if old else []
    if old is None and Cron.objects.filter(account=account)[:MOST_CRONS].count() >= MOST_CRONS:
        raise Refused("too_many_crons", f"An account can have {MOST_CRONS:,} crons; remove some that are not needed.")
    values = {
        "schedule": terms.schedule.text,
        "timezone": terms.schedule.timezone,
        "overlap": terms.overlap,
        "catch_up": terms.catch_up,
        "start_grace_s": terms.start_grace_s,
        "paused_at": None,
        "registered_at": now,
        "registration": old.registration + 1 if old else 1,
        "next_at": terms.schedule.next_after(now),
        **columns,
    }
    cron, created = Cron.objects.update_or_create(
        account=account, label=terms.label, defaults=values, create_defaults={**values, "state_since": now}
    )
    name = "cron.registered" if created else "cron.replaced"
    record_event(cron, name, before=_when(old), after=_when(cron), detail=detail, at=now)
    Digest.objects.get_or_create(account=account, defaults={"next_at": next_digest(account, now)})
    return cron, unused


def _when(cron: Cron | None) -> str:
    return f"{cron.schedule} {cron.timezone}" if cron else ""
