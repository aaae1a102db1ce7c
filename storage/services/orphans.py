"""Objects that no row knows: what uploads and submits that never ended left in the bucket."""

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from common.references import unreferenced
from storage.bucket import bucket
from storage.models import Blob, StoredFile
from storage.services.blobs import drop_blobs_unreferenced

LOOKED_UP_AT_ONCE = 500
# Longer than any upload or transaction lives: younger objects may be about to get their row.
SAFE_AGE = timedelta(days=2)


def remove_orphans(*, older_than: timedelta = SAFE_AGE) -> int:
    """Delete blobs that nothing refers to, and objects without a row; the number of both. For the clock."""
    old = Blob.objects.filter(created_at__lt=timezone.now() - older_than)
    stale = unreferenced(old).values_list("pk", flat=True)
    return (
        drop_blobs_unreferenced(stale)
        + remove_stale_objects(prefix="blobs/", older_than=older_than, known=_known_blobs)
        + remove_stale_objects(prefix="files/", older_than=older_than, known=_known_files)
    )


def remove_stale_objects(
    *, prefix: str, known: Callable[[Collection[str]], set[str]], older_than: timedelta = SAFE_AGE
) -> int:
    """Delete old objects below a prefix that `known` does not return of the keys it is given."""
    removed = 0
    for keys in _portions(bucket().keys_before(timezone.now() - older_than, prefix)):
        for key in set(keys) - known(keys):
            bucket().delete(key)
            removed += 1
    return removed


def _portions(keys: Iterator[str]) -> Iterator[list[str]]:
    while portion := list(islice(keys, LOOKED_UP_AT_ONCE)):
        yield portion


def _known_files(keys: Collection[str]) -> set[str]:
    return set(StoredFile.objects.filter(key__in=keys).values_list("key", flat=True))


def _known_blobs(keys: Collection[str]) -> set[str]:
    """Looked up by account and digest, which the key is made of and which have an index; the key has none."""
    parts = [key.split("/") for key in keys]
    accounts = {int(part[1]) for part in parts if part[1].isdigit()}
    digests = {part[-1].partition(".")[0] for part in parts}
    blobs = Blob.objects.filter(account_id__in=accounts, digest__in=digests).exclude(key="")
    return set(blobs.values_list("key", flat=True))
