"""Bytes that nobody knows any more are found and removed; all others stay."""

import io
from datetime import timedelta
from typing import Any

import pytest

from storage.bucket import Bucket
from storage.models import Blob, StoredFile
from storage.services import put_blob, remove_orphans, remove_stale_objects, save_file
from tests.storage.test_blobs import BIG, refer_to

NOW = timedelta(seconds=-60)  # in a minute, so that everything is older


def test_objects_without_a_row_are_removed(store: Bucket, alice: Any, keys: Any) -> None:
    blob = put_blob(account=alice, data=BIG)
    refer_to(blob)
    file = save_file(account=alice, name="a", stream=io.BytesIO(b"x"), size=1)
    store.put_bytes(f"blobs/{alice.pk}/ab/{'ab' * 32}.12345678", b"x")
    store.put_bytes(f"files/{alice.pk}/0123", b"x")
    assert remove_orphans(older_than=NOW) == 2
    assert keys() == {blob.key, file.key}


def test_young_objects_may_be_about_to_get_their_row(store: Bucket, alice: Any, keys: Any) -> None:
    store.put_bytes(f"files/{alice.pk}/0123", b"x")
    assert remove_orphans(older_than=timedelta(hours=1)) == 0
    assert keys() == {f"files/{alice.pk}/0123"}


def test_blobs_that_nothing_refers_to_go_too(store: Bucket, alice: Any) -> None:
    put_blob(account=alice, data=b"of a submit that failed")
    kept = put_blob(account=alice, data=b"of a job")
    refer_to(kept)
    assert remove_orphans(older_than=NOW) == 1
    assert Blob.objects.get() == kept


def test_older_bytes_of_the_same_digest_are_told_apart(store: Bucket, alice: Any, keys: Any) -> None:
    blob = put_blob(account=alice, data=BIG)
    refer_to(blob)
    store.put_bytes(blob.key.rpartition(".")[0] + ".00000000", BIG)
    assert remove_orphans(older_than=NOW) == 1
    assert keys() == {blob.key}


def test_other_prefixes_are_asked_of_their_owner(store: Bucket, keys: Any) -> None:
    store.put_bytes("results/1/a", b"x")
    store.put_bytes("results/1/b", b"x")
    assert remove_stale_objects(prefix="results/", known=lambda keys: {"results/1/a"}, older_than=NOW) == 1
    assert keys() == {"results/1/a"}


@pytest.mark.django_db
def test_an_empty_store_is_no_error(store: Bucket) -> None:
    assert remove_orphans(older_than=NOW) == 0
    assert not StoredFile.objects.exists()
