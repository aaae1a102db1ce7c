"""Files: stored whole or not at all, replaced at once, deleted with their bytes."""

import hashlib
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from common.exceptions import NotFound, Refused
from storage.bucket import DiskFull, bucket
from storage.models import StoredFile
from storage.selectors import file_for, files_of
from storage.services import delete_file, save_file

pytestmark = pytest.mark.django_db(transaction=True)


def save(user: Any, name: str, data: bytes, **fields: Any) -> StoredFile:
    return save_file(account=user, name=name, stream=io.BytesIO(data), **{"size": len(data), **fields})


def content(user: Any, name: str) -> bytes:
    return bucket().read_bytes(file_for(user, name).key)


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)) * 80_000], ids=["empty", "small", "20 MB"])
def test_bytes_come_back(store: Any, alice: Any, data: bytes) -> None:
    file = save(alice, "a.bin", data)
    assert content(alice, "a.bin") == data
    assert (file.size, file.md5) == (len(data), hashlib.md5(data).hexdigest())


def test_replaced_file_leaves_no_old_bytes(store: Any, alice: Any, keys: Any) -> None:
    first = save(alice, "a", b"old")
    second = save(alice, "a", b"new!")
    assert content(alice, "a") == b"new!"
    assert keys() == {second.key}
    assert (second.pk, second.created_at) == (first.pk, first.created_at)
    assert second.updated_at > first.updated_at


def test_deleted_file_leaves_no_bytes(store: Any, alice: Any, keys: Any) -> None:
    save(alice, "a", b"x")
    delete_file(account=alice, name="a")
    assert keys() == set()
    assert not files_of(alice).exists()


@pytest.mark.parametrize("cut_after", [0, 5, 15_000_000])
def test_cut_off_upload_leaves_the_old_file(store: Any, alice: Any, keys: Any, cut_after: int) -> None:
    old = save(alice, "a", b"old")
    with pytest.raises(Refused) as refusal:
        save(alice, "a", b"x" * cut_after, size=20_000_000)
    assert refusal.value.code == "cut_off"
    assert content(alice, "a") == b"old"
    assert keys() == {old.key}


def test_cut_off_upload_of_a_new_file_leaves_none(store: Any, alice: Any, keys: Any) -> None:
    with pytest.raises(Refused, match="ended 5 bytes early"):
        save(alice, "a", b"12345", size=10)
    assert (list(files_of(alice)), keys()) == ([], set())


def test_wrong_md5_is_refused(store: Any, alice: Any, keys: Any) -> None:
    for data in (b"", b"hello"):
        with pytest.raises(Refused, match="MD5"):
            save(alice, "a", data, md5="0" * 32)
    assert (list(files_of(alice)), keys()) == ([], set())


def test_right_md5_is_accepted(store: Any, alice: Any) -> None:
    assert save(alice, "a", b"hello", md5=hashlib.md5(b"hello").hexdigest()).size == 5


def test_file_over_the_limit_is_refused_before_a_byte_is_read(alice: Any, settings: Any) -> None:
    settings.MAX_FILE = 10
    stream = io.BytesIO(b"x" * 11)
    with pytest.raises(Refused) as refusal:
        save_file(account=alice, name="a", stream=stream, size=11)
    assert (refusal.value.status, refusal.value.code) == (413, "file_too_large")
    assert stream.tell() == 0


def test_bad_name_is_refused_before_a_byte_is_read(alice: Any) -> None:
    with pytest.raises(Refused, match="no folders"):
        save(alice, "../a", b"x")


def test_strangers_file_does_not_exist(store: Any, alice: Any, charlie: Any) -> None:
    save(alice, "a", b"x")
    with pytest.raises(NotFound):
        file_for(charlie, "a")
    with pytest.raises(NotFound):
        delete_file(account=charlie, name="a")
    assert content(alice, "a") == b"x"


def test_names_are_composed_when_stored_and_when_asked_for(store: Any, alice: Any) -> None:
    save(alice, "U\u0308bung", b"x")
    assert file_for(alice, "\u00dcbung").name == "\u00dcbung"


def test_full_disk_keeps_the_old_file(full_disk: Path, alice: Any) -> None:
    save(alice, "a", b"old")
    with pytest.raises(DiskFull):
        save(alice, "a", b"x" * 2_000_000)
    assert content(alice, "a") == b"old"
    assert len([path for path in full_disk.rglob("*") if path.is_file()]) == 1


def test_big_file_is_never_in_memory(file_store: Any, alice: Any) -> None:
    class Zeros:
        def read(self, size: int, /) -> bytes:
            return bytes(size)

    tracemalloc.start()
    try:
        save_file(account=alice, name="a", stream=Zeros(), size=100_000_000)
        for chunk in bucket().read_stream(file_for(alice, "a").key):
            assert chunk
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("announced", "kept"),
    [
        ("video/mp4", "video/mp4"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("", "text/plain"),
        ("text/html\r\nX: y", "text/plain"),
        ("nonsense", "text/plain"),
        ("a/" + "b" * 200, "text/plain"),
    ],
)
def test_content_type_is_what_can_stand_in_a_header(file_store: Any, alice: Any, announced: str, kept: str) -> None:
    assert save(alice, "a.txt", b"x", content_type=announced).content_type == kept


def test_uploads_of_one_name_at_the_same_moment_leave_one_whole_file(file_store: Any, alice: Any) -> None:
    from tests.storage.test_blobs import in_threads

    contents = [bytes([number]) * 100_000 for number in range(6)]
    in_threads(lambda number: save(alice, "a", contents[number]), 6)
    assert content(alice, "a") in contents
    assert file_for(alice, "a").md5 == hashlib.md5(content(alice, "a")).hexdigest()
