"""Blobs: stored once, read whole or in part, gone with their last reference."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from common.exceptions import Refused
from environments.models import Environment
from jobs.models import ArgumentPack, Batch, CoreType, Function
from storage.models import Blob
from storage.services import drop_blobs_unreferenced, hold_blob, put_blob, read_blob

BIG = b"0123456789" * 50_000


def refer_to(blob: Blob) -> Batch:
    """A batch whose function is the blob."""
    function, _ = Function.objects.get_or_create(account=blob.account, name="f")
    environment, _ = Environment.objects.get_or_create(name="base", defaults={"python": "3.11"})
    # A transactional test before this one may have emptied the tables.
    core_type, _ = CoreType.objects.get_or_create(
        code="c1", defaults={"compute_units": 1, "memory_mb": 300, "disk_mb": 1000, "allowed_cores": [1]}
    )
    return Batch.objects.create(
        account=blob.account,
        size=1,
        first_jid=Batch.objects.count() + 1,
        function=function,
        function_blob=blob,
        core_type=core_type,
        environment=environment,
    )


@pytest.mark.parametrize("data", [b"", b"small", BIG], ids=["empty", "small", "big"])
def test_bytes_come_back(store: Any, alice: Any, data: bytes) -> None:
    blob = Blob.objects.get(pk=put_blob(account=alice, data=data).pk)
    assert (blob.size, blob.digest) == (len(data), hashlib.sha256(data).hexdigest())
    assert read_blob(blob) == data
    assert read_blob(blob, start=2, end=4) == data[2:4]


def test_small_ones_lie_in_the_row_and_big_ones_in_the_bucket(store: Any, alice: Any, keys: Any) -> None:
    small, big = put_blob(account=alice, data=b"small"), put_blob(account=alice, data=BIG)
    assert small.key == ""
    assert keys() == {big.key}
    assert big.inline is None


@pytest.mark.parametrize("data", [b"small", BIG], ids=["small", "big"])
def test_same_bytes_are_stored_once(store: Any, alice: Any, keys: Any, data: bytes) -> None:
    first, second = put_blob(account=alice, data=data), put_blob(account=alice, data=data)
    assert first.pk == second.pk
    assert len(keys()) == (data == BIG)


def test_accounts_do_not_share(store: Any, alice: Any, bob: Any) -> None:
    put_blob(account=alice, data=b"the same")
    assert hold_blob(account=bob, digest=hashlib.sha256(b"the same").hexdigest()) is None
    assert put_blob(account=bob, data=b"the same").account_id == bob.pk


def test_bytes_that_are_not_the_announced_ones_are_refused(alice: Any) -> None:
    with pytest.raises(Refused, match="not the ones that were sent"):
        put_blob(account=alice, data=b"x", digest=hashlib.sha256(b"y").hexdigest())
    assert not Blob.objects.exists()


def test_unreferenced_blob_is_dropped_with_its_bytes(
    store: Any, alice: Any, keys: Any, django_capture_on_commit_callbacks: Any
) -> None:
    blob = put_blob(account=alice, data=BIG)
    with django_capture_on_commit_callbacks(execute=True):
        assert drop_blobs_unreferenced([blob.pk]) == 1
        assert keys() == {blob.key}, "the bytes stay until the commit"
    assert keys() == set()


def test_referenced_blob_is_kept(alice: Any) -> None:
    function, arguments = put_blob(account=alice, data=b"function"), put_blob(account=alice, data=b"arguments")
    batch = refer_to(function)
    ArgumentPack.objects.create(batch=batch, first_index=0, count=1, blob=arguments)
    assert drop_blobs_unreferenced([function.pk, arguments.pk]) == 0
    batch.delete()
    assert drop_blobs_unreferenced([function.pk, arguments.pk]) == 2


def test_many_are_dropped_at_once(alice: Any) -> None:
    blobs = [put_blob(account=alice, data=b"%d" % number) for number in range(1200)]
    refer_to(blobs[700])
    assert drop_blobs_unreferenced([blob.pk for blob in blobs]) == 1199


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_same_bytes_sent_at_the_same_moment_are_stored_once(store: Any, alice: Any, keys: Any) -> None:
    blobs = in_threads(lambda _: put_blob(account=alice, data=BIG), 8)
    assert len({blob.pk for blob in blobs}) == 1
    assert keys() == {blobs[0].key}
    assert read_blob(Blob.objects.get()) == BIG


@pytest.mark.django_db(transaction=True)
def test_blob_is_never_dropped_under_a_new_reference(file_store: Any, alice: Any) -> None:
    """Some submit the same bytes, others drop them: whoever referred to a blob finds its bytes."""

    def submit_or_drop(number: int) -> None:
        for _ in range(10):
            if number % 2:
                drop_blobs_unreferenced(list(Blob.objects.values_list("pk", flat=True)))
                continue
            with transaction.atomic():
                ArgumentPack.objects.create(
                    batch_id=batch.pk, first_index=number * 100 + _, count=1, blob=put_blob(account=alice, data=BIG)
                )
            with transaction.atomic():
                ArgumentPack.objects.filter(first_index=number * 100 + _).delete()

    batch = refer_to(put_blob(account=alice, data=b"function"))
    in_threads(submit_or_drop, 4)
    with transaction.atomic():
        assert read_blob(put_blob(account=alice, data=BIG)) == BIG
