"""What both object stores promise."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from storage.bucket import Bucket, DiskFull, ObjectMissing


class Broken(Exception):
    pass


class BrokenStream:
    """Gives some bytes, then fails."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int, /) -> bytes:
        if not self._left:
            raise Broken
        size = min(size, self._left)
        self._left -= size
        return b"x" * size


def test_bytes_come_back_whole_and_in_part(store: Bucket) -> None:
    store.put_bytes("results/1", b"0123456789")
    assert store.read_bytes("results/1") == b"0123456789"
    assert store.read_bytes("results/1", 3) == b"3456789"
    assert store.read_bytes("results/1", 3, 6) == b"345"


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 2)])
def test_empty_span_is_no_bytes(store: Bucket, start: int, end: int) -> None:
    store.put_bytes("results/1", b"0123456789")
    assert store.read_bytes("results/1", start, end) == b""
    assert b"".join(store.read_stream("results/1", start, end)) == b""


def test_stream_comes_back_in_chunks(store: Bucket) -> None:
    data = bytes(range(256)) * 4096
    store.put_stream("files/1/a", io.BytesIO(data))
    chunks = list(store.read_stream("files/1/a", 10, len(data) - 10))
    assert b"".join(chunks) == data[10:-10]
    assert len(chunks) > 1


def test_what_is_not_there_is_said_to_be_missing(store: Bucket) -> None:
    with pytest.raises(ObjectMissing):
        store.read_bytes("results/none")
    with pytest.raises(ObjectMissing):
        store.read_stream("results/none")


def test_deleting_twice_is_no_error(store: Bucket, keys: Any) -> None:
    store.put_bytes("results/1", b"x")
    store.delete("results/1")
    store.delete("results/1")
    assert keys() == set()


@pytest.mark.parametrize("size", [0, 1000, 20_000_000])
def test_stream_that_fails_leaves_nothing(store: Bucket, keys: Any, size: int) -> None:
    with pytest.raises(Broken):
        store.put_stream("files/1/a", BrokenStream(size))
    assert keys() == set()


def test_old_objects_are_told_from_new_ones(store: Bucket) -> None:
    store.put_bytes("results/1", b"x")
    hour = timedelta(hours=1)
    assert list(store.keys_before(timezone.now() - hour, "results/")) == []
    assert list(store.keys_before(timezone.now() + hour, "results/")) == ["results/1"]


def test_an_open_file_is_read_to_its_end_after_it_is_deleted(file_store: Bucket) -> None:
    file_store.put_bytes("files/1/a", b"x" * 1_000_000)
    chunks = file_store.read_stream("files/1/a")
    file_store.delete("files/1/a")
    assert sum(map(len, chunks)) == 1_000_000


def test_full_disk_is_refused_and_leaves_nothing(full_disk: Path, alice: Any) -> None:
    from storage.bucket import bucket

    with pytest.raises(DiskFull) as refusal:
        bucket().put_bytes("results/1", b"x" * 2_000_000)
    assert (refusal.value.status, refusal.value.code) == (507, "disk_full")
    assert [path for path in full_disk.rglob("*") if path.is_file()] == []
    bucket().put_bytes("results/2", b"x" * 500_000)


def test_files_are_readable_by_the_server_alone(file_store: Bucket, tmp_path: Path) -> None:
    file_store.put_bytes("results/1", b"x")
    assert (tmp_path / "results/1").stat().st_mode & 0o777 == 0o600
