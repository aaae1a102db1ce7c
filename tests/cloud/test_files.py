"""cloud.files against a small service; the real storage is tried in tests of the whole stack."""

import io
import os
from pathlib import Path

import pytest

import cloud
from tests.cloud.service import Service
from tests.cloud.test_transport import first_times, hang_up

pytestmark = pytest.mark.usefixtures("alice_calls")


def test_a_file_goes_there_and_back(tmp_path: Path) -> None:
    source = tmp_path / "film.avi"
    source.write_bytes(os.urandom(700_000))
    cloud.files.put(source)
    cloud.files.get("film.avi", tmp_path / "deep" / "copy.avi")
    assert (tmp_path / "deep" / "copy.avi").read_bytes() == source.read_bytes()
    assert cloud.files.list() == ["film.avi"]
    assert cloud.files.exists("film.avi")


@pytest.mark.parametrize("content", [b"bytes", "text", io.BytesIO(b"open file")], ids=["bytes", "text", "file"])
def test_putf_takes_what_has_bytes(alice_calls: Service, content: object) -> None:
    cloud.files.putf(content, "a")  # type: ignore[arg-type]
    assert alice_calls.files["a"] in (b"bytes", b"text", b"open file")


def test_putf_takes_a_pipe(alice_calls: Service) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        cloud.files.putf(pipe, "a")
    assert alice_calls.files["a"] == b"through a pipe"


def test_putf_refuses_anything_else() -> None:
    with pytest.raises(TypeError, match="putf takes"):
        cloud.files.putf(3, "a")  # type: ignore[arg-type]


def test_a_part_of_a_file() -> None:
    cloud.files.putf(b"0123456789", "digits")
    assert cloud.files.getf("digits", 2, 5).read() == b"234"
    assert cloud.files.getf("digits", 7).read() == b"789"
    assert cloud.files.getf("digits", 3, 3).read() == b""


def test_a_file_can_be_fetched_into_an_open_one() -> None:
    cloud.files.putf(b"0123456789", "digits")
    target = io.BytesIO()
    cloud.files.get("digits", target)
    assert target.getvalue() == b"0123456789"


def test_an_unknown_file_is_named(tmp_path: Path) -> None:
    for ask in (cloud.files.get_md5, cloud.files.delete, cloud.files.getf):
        with pytest.raises(cloud.CloudException, match="no file 'nothing'"):
            ask("nothing")
    with pytest.raises(cloud.CloudException, match="no file 'nothing'"):
        cloud.files.get("nothing", tmp_path / "a")
    assert list(tmp_path.iterdir()) == [] or not (tmp_path / "a").exists()
    assert not cloud.files.exists("nothing")


def test_a_deleted_file_is_gone() -> None:
    cloud.files.putf(b"x", "a")
    cloud.files.delete("a")
    assert cloud.files.list() == []


@pytest.mark.parametrize("name", ["ü ä.txt", "a/b?c#d%.txt", "100%", "\u202eright to left"])
def test_any_name_arrives_as_it_is(alice_calls: Service, name: str) -> None:
    cloud.files.putf(b"x", name)
    assert list(alice_calls.files) == [name]


def test_sync_sends_and_fetches_only_what_differs(alice_calls: Service, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    cloud.files.sync_to_cloud(path)
    cloud.files.sync_to_cloud(path)
    cloud.files.sync_from_cloud("a", path)
    assert [method for method, asked, _ in alice_calls.requests if method in ("PUT", "GET")] == ["PUT"]
    cloud.files.putf(b"two", "a")
    cloud.files.sync_from_cloud("a", path)
    assert path.read_bytes() == b"two"


def test_an_upload_that_was_cut_off_is_sent_again_whole(alice_calls: Service) -> None:
    alice_calls.before = first_times(2, hang_up)
    cloud.files.putf(b"x" * 100_000, "a")
    assert alice_calls.files["a"] == b"x" * 100_000


def test_a_download_that_was_cut_off_is_fetched_again_whole(alice_calls: Service, tmp_path: Path) -> None:
    cloud.files.putf(b"x" * 100_000, "a")

    def cut_off(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", "100000")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(b"y" * 400)  # type: ignore[attr-defined]
        hang_up(handler)  # type: ignore[arg-type]

    alice_calls.before = first_times(1, cut_off)
    cloud.files.get("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x" * 100_000


def test_a_file_that_changed_on_its_way_is_reported(alice_calls: Service) -> None:
    alice_calls.before = first_times(
        1, lambda handler: handler.reply(201, {"name": "a", "md5": "0" * 32}), path="/api/v1/files/a"
    )
    # The first request asks where to send it; this answer has no "direct", and the next one is the upload.
    cloud.files.putf(b"x", "a")
    alice_calls.before = lambda handler: (
        handler.command == "PUT" and (handler.reply(201, {"name": "a", "md5": "0" * 32}) is None)
    )
    with pytest.raises(cloud.CloudException, match="changed on its way"):
        cloud.files.putf(b"x", "a")


def test_a_full_disk_is_said_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    cloud.files.putf(b"x" * 100, "a")
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        cloud.files.get("a", full)
    assert list(tmp_path.iterdir()) == []
