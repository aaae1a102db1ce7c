"""The modules that travel with a function: archives that are stored once, and the sets of them that jobs need."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from common.exceptions import Conflict, Refused
from common.references import unreferenced
from common.sql import fetch_all, fetch_one
from jobs.models import ModuleArchive, ModuleSet
from jobs.services.submission import MAX_MODULES, Module
from storage.models import Blob
from storage.services import ObjectMissing, hold_blob, read_stream

# Kept without a job for so long, so that a function sent again finds its modules.
UNUSED_AGE = timedelta(days=7)


class Archive(NamedTuple):
    """One archive as a worker needs it."""

    digest: str
    name: str
    inline: bytes | None
    key: str


def missing_archives(*, account: User, digests: Sequence[str]) -> list[str]:
    """Those of the digests of which the account has stored nothing yet."""
    known = set(Blob.objects.filter(account=account, digest__in=digests).values_list("digest", flat=True))
    return [digest for digest in digests if digest not in known]


def digest_of(modules: Sequence[Module]) -> str:
    """What tells a set of archives from all others."""
    return hashlib.sha256(json.dumps(modules).encode()).hexdigest()


def set_of(*, account: User, modules: Sequence[Module]) -> int:
    """The key of the set of these archives, made unless it is there. Call it in the transaction that refers to it.

    Raises Conflict with the list of those that are not stored.
    """
    digest = digest_of(modules)
    found = _find(account, digest)
    if found is None:
        blobs = _hold_all(account, modules)
        made = ModuleSet(account=account, digest=digest)
        # Whoever is first makes it, and the others wait for that here.
        ModuleSet.objects.bulk_create([made], ignore_conflicts=True)
        found = _find(account, digest)
        if found is None:
            raise RuntimeError("a set of modules was made and removed at the same moment")
        ModuleArchive.objects.bulk_create(
            [
                ModuleArchive(module_set_id=found, position=position, name=module.name, blob_id=blob.pk)
                for position, (module, blob) in enumerate(zip(modules, blobs, strict=True))
            ],
            ignore_conflicts=True,
        )
    return found


def _find(account: User, digest: str) -> int | None:
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    row = fetch_one(f"SELECT id FROM jobs_moduleset WHERE account_id = %s AND digest = %s{lock}", [account.pk, digest])
    return int(row[0]) if row else None


def _hold_all(account: User, modules: Sequence[Module]) -> list[Blob]:
    blobs = [hold_blob(account=account, digest=module.digest) for module in modules]
    missing = [module for module, blob in zip(modules, blobs, strict=True) if blob is None]
    if missing:
        names = ", ".join(module.name for module in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise Conflict(
            "modules_unknown",
            f"These modules are not stored here: {names}. Send them first.",
            digests=[module.digest for module in missing],
        )
    return [blob for blob in blobs if blob is not None]


def archives_of(module_set_id: int) -> list[Archive]:
    """The archives of a set, in their order; of large ones where they lie, not their bytes."""
    rows = fetch_all(
        "SELECT blob.digest, archive.name, blob.inline, blob.key FROM jobs_modulearchive archive "
        "JOIN storage_blob blob ON blob.id = archive.blob_id WHERE archive.module_set_id = %s "
        "ORDER BY archive.position",
        [module_set_id],
    )
    return [Archive(digest, name, None if inline is None else bytes(inline), key) for digest, name, inline, key in rows]


class ArchiveGone(Exception):
    """The bytes of an archive are not where its row says."""


def archive_chunks(archive: Archive) -> Iterator[bytes]:
    """The bytes of an archive, a chunk at a time. Raises ArchiveGone."""
    if archive.inline is not None:
        return iter((archive.inline,))
    try:
        return read_stream(archive.key)
    except ObjectMissing as missing:
        raise ArchiveGone(str(missing)) from missing


def remove_unused_sets(*, older_than: timedelta = UNUSED_AGE) -> int:
    """Delete sets that nothing refers to any more; the number of them. For the clock.

    Their archives are blobs without a reference then, and go with those.
    """
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        old = ModuleSet.objects.select_for_update(skip_locked=skip).filter(created_at__lt=timezone.now() - older_than)
        locked = list(old.values_list("pk", flat=True))
        # Looked at again under the lock: a submit may have taken it up meanwhile.
        sets = unreferenced(ModuleSet.objects.filter(pk__in=locked), parts=[ModuleArchive])
        unused = list(sets.values_list("pk", flat=True))
        ModuleSet.objects.filter(pk__in=unused).delete()
    return len(unused)


def check_digests(value: object) -> list[str]:
    """A list of SHA-256 sums as JSON brings it. Raises Refused."""
    if not isinstance(value, list) or len(value) > MAX_MODULES or not all(Module.is_digest(item) for item in value):
        raise Refused("bad_modules", f"digests must be a list of at most {MAX_MODULES} SHA-256 sums in hexadecimal.")
    return value
