"""Files over HTTP: whole and in part, from our disk and straight from S3."""

import base64
import hashlib
import io
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from django.test import Client

from storage.bucket import Bucket
from storage.models import StoredFile
from tests.submitting import Api

DATA = bytes(range(256)) * 4
PATH = "/api/v1/files/"


def put(api: Api, name: str, data: bytes = DATA, **headers: str) -> Any:
    headers = {"Content-Type": "video/mp4", **{key.replace("_", "-"): value for key, value in headers.items()}}
    return api.client.generic("PUT", PATH + quote(name, safe=""), data, headers["Content-Type"], headers=headers)


def get(api: Api, name: str, **headers: str) -> Any:
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return api.client.get(PATH + quote(name, safe=""), headers=headers)


def body(answer: Any) -> bytes:
    content: bytes = answer.getvalue()
    return content


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_file_is_stored_listed_and_fetched(file_store: Bucket, alice_api: Api) -> None:
    stored = put(alice_api, "a b.mp4").json()
    assert (stored["name"], stored["size"], stored["content_type"]) == ("a b.mp4", 1024, "video/mp4")
    assert stored["md5"] == hashlib.md5(DATA).hexdigest()
    assert alice_api.get("files").json() == {"files": [stored]}
    assert body(get(alice_api, "a b.mp4")) == DATA


def test_a_browser_keeps_it_as_a_file(file_store: Bucket, alice_api: Api) -> None:
    put(alice_api, "évil.html", b"<script>", Content_Type="text/html")
    answer = get(alice_api, "évil.html")
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9vil.html"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1000-", 1000, 1024),
        ("bytes=1023-1023", 1023, 1024),
        ("bytes=1000-999999", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-99999", 0, 1024),
    ],
)
def test_part_of_a_file(file_store: Bucket, alice_api: Api, wanted: str, start: int, end: int) -> None:
    put(alice_api, "a")
    answer = get(alice_api, "a", Range=wanted)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert answer["Content-Length"] == str(end - start)
    assert body(answer) == DATA[start:end]


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=9999-10000", "bytes=-0", f"bytes={10**30}-"])
def test_part_behind_the_end_is_refused(file_store: Bucket, alice_api: Api, wanted: str) -> None:
    put(alice_api, "a")
    answer = get(alice_api, "a", Range=wanted)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */1024")


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=²-", ""])
def test_a_range_that_makes_no_sense_is_the_whole_file(file_store: Bucket, alice_api: Api, wanted: str) -> None:
    put(alice_api, "a")
    answer = get(alice_api, "a", Range=wanted)
    assert (answer.status_code, body(answer)) == (200, DATA)


def test_an_empty_file_has_no_parts(file_store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a", b"", Content_Length="0")
    assert body(get(alice_api, "a")) == b""
    assert get(alice_api, "a", Range="bytes=0-").status_code == 416


def test_a_download_never_goes_on_with_another_version(file_store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a")
    etag = get(alice_api, "a")["ETag"]
    assert get(alice_api, "a", Range="bytes=9-", If_Range=etag).status_code == 206
    put(alice_api, "a")
    assert get(alice_api, "a", Range="bytes=9-", If_Range=etag).status_code == 200


def test_what_one_has_is_not_sent_again(file_store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a")
    etag = get(alice_api, "a")["ETag"]
    assert get(alice_api, "a", If_None_Match=etag).status_code == 304


def test_head_tells_the_size_alone(store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a")
    answer = alice_api.client.head(PATH + "a")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "1024", b"")


def test_deleted_file_is_unknown(store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a")
    assert alice_api.client.delete(PATH + "a").status_code == 204
    assert error(alice_api.client.delete(PATH + "a")) == (404, "file_unknown")


@pytest.mark.parametrize("method", ["get", "head", "delete"])
def test_stranger_is_told_it_does_not_exist(store: Bucket, alice_api: Api, charlie_api: Api, method: str) -> None:
    put(alice_api, "a")
    assert getattr(charlie_api.client, method)(PATH + "a").status_code == 404
    assert StoredFile.objects.count() == 1
    assert charlie_api.get("files").json() == {"files": []}


def test_the_same_name_of_two_people_is_two_files(store: Bucket, alice_api: Api, charlie_api: Api) -> None:
    put(alice_api, "a", b"alice")
    put(charlie_api, "a", b"charlie")
    assert {file.account.username: file.size for file in StoredFile.objects.all()} == {"alice": 5, "charlie": 7}


@pytest.mark.parametrize("name", ["..", "a/b", "../../etc/passwd", "a\0b", "a\nb", "a" * 300, "a\u202eb", "a\\b"])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_bad_name_is_refused_by_a_sentence(alice_api: Api, name: str, method: str) -> None:
    answer = alice_api.client.generic(method, PATH + quote(name, safe=""), b"x", "text/plain")
    assert error(answer) == (400, "bad_file_name")
    assert answer.json()["error"]["message"].endswith(".") or "U+" in answer.json()["error"]["message"]


def test_upload_without_its_size_is_refused(alice_api: Api) -> None:
    answer = alice_api.client.generic("PUT", PATH + "a", b"", headers={"Content-Length": ""})
    assert error(answer) == (411, "length_required")


def test_upload_that_is_cut_off_leaves_the_old_file(file_store: Bucket, alice_api: Api, keys: Any) -> None:
    put(alice_api, "a", b"old")
    cut = {"CONTENT_LENGTH": "1000", "wsgi.input": io.BytesIO(b"only this")}
    assert error(alice_api.client.generic("PUT", PATH + "a", **cut)) == (400, "cut_off")
    assert body(get(alice_api, "a")) == b"old"
    assert len(keys()) == 1


@pytest.mark.parametrize("encode", [lambda raw: base64.b64encode(raw).decode(), bytes.hex])
def test_md5_of_the_upload_is_checked(file_store: Bucket, alice_api: Api, encode: Any) -> None:
    assert put(alice_api, "a", Content_MD5=encode(hashlib.md5(DATA).digest())).status_code == 200
    assert error(put(alice_api, "a", Content_MD5=encode(hashlib.md5(b"else").digest()))) == (400, "bad_md5")


def test_nonsense_as_md5_is_refused(alice_api: Api) -> None:
    assert error(put(alice_api, "a", Content_MD5="nonsense")) == (400, "bad_md5")


def test_without_a_key_nothing_is_told(client: Client) -> None:
    assert error(client.get(PATH)) == (404, "address_unknown")
    assert error(client.get("/api/v1/files")) == (401, "no_key")
    assert error(client.put(PATH + "a", b"x")) == (401, "no_key")


def test_files_on_our_disk_are_not_uploaded_elsewhere(file_store: Bucket, alice_api: Api) -> None:
    assert alice_api.post("files/a/upload", {"size": 5}).json() == {"direct": False}


@pytest.mark.parametrize("ask", [{}, {"size": "5"}, {"size": -1}, {"size": True}, {"size": 5, "content_type": 1}])
def test_upload_that_is_not_described_is_refused(s3_store: Bucket, alice_api: Api, ask: dict[str, Any]) -> None:
    assert alice_api.post("files/a/upload", ask).status_code == 400


def send(prepared: Any, data: bytes = DATA) -> int:
    """Send bytes to the S3 service as a client does."""
    assert prepared["direct"]
    headers = prepared["headers"] | {"Content-Length": str(len(data))}
    return urllib3.request(prepared["method"], prepared["url"], body=data, headers=headers).status


def prepare(api: Api, name: str, size: int = len(DATA)) -> Any:
    return api.post(f"files/{name}/upload", {"size": size, "content_type": "video/mp4"}).json()


def test_bytes_go_straight_to_s3_and_back(s3_store: Bucket, alice_api: Api) -> None:
    prepared = prepare(alice_api, "a.mp4")
    assert send(prepared) == 200
    assert not StoredFile.objects.exists()
    stored = alice_api.post("files/a.mp4/finish", {"upload": prepared["upload"]}).json()
    assert (stored["name"], stored["size"], stored["md5"]) == ("a.mp4", 1024, hashlib.md5(DATA).hexdigest())

    link = get(alice_api, "a.mp4")
    assert link.status_code == 302
    fetched = urllib3.request("GET", link["Location"])
    assert fetched.data == DATA
    assert "attachment" in fetched.headers["Content-Disposition"]
    assert urllib3.request("GET", link["Location"], headers={"Range": "bytes=4-7"}).data == DATA[4:8]


def test_link_to_s3_is_signed(s3_store: Bucket, alice_api: Api) -> None:
    put(alice_api, "a")
    link = get(alice_api, "a")["Location"]
    assert urllib3.request("GET", link.partition("?")[0]).status in (400, 403)
    assert urllib3.request("GET", link.replace("files/", "blobs/")).status == 403


def test_upload_that_never_arrived_cannot_be_finished(s3_store: Bucket, alice_api: Api) -> None:
    prepared = prepare(alice_api, "a")
    assert error(alice_api.post("files/a/finish", {"upload": prepared["upload"]})) == (409, "upload_missing")


def test_upload_of_another_size_is_no_file(s3_store: Bucket, alice_api: Api, keys: Any) -> None:
    prepared = prepare(alice_api, "a")
    if send(prepared, DATA + b"more") == 200:
        assert error(alice_api.post("files/a/finish", {"upload": prepared["upload"]})) == (400, "bad_md5")
    assert keys() == set()
    assert not StoredFile.objects.exists()


def test_upload_of_other_bytes_is_no_file(s3_store: Bucket, alice_api: Api, keys: Any) -> None:
    prepared = prepare(alice_api, "a")
    send(prepared)
    answer = alice_api.post("files/a/finish", {"upload": prepared["upload"], "md5": hashlib.md5(b"x").hexdigest()})
    assert error(answer) == (400, "bad_md5")
    assert keys() == set()


@pytest.mark.parametrize("md5", ["x", "g" * 32, "a" * 33, "\0"])
def test_nonsense_as_md5_of_a_finished_upload_is_refused(s3_store: Bucket, alice_api: Api, md5: str) -> None:
    prepared = prepare(alice_api, "a")
    send(prepared)
    answer = alice_api.post("files/a/finish", {"upload": prepared["upload"], "md5": md5})
    assert error(answer) == (400, "bad_md5")


def test_finishing_twice_is_harmless(s3_store: Bucket, alice_api: Api) -> None:
    prepared = prepare(alice_api, "a")
    send(prepared)
    answers = [alice_api.post("files/a/finish", {"upload": prepared["upload"]}).json() for _ in range(2)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ["a", "b"])
def test_token_is_for_one_file_of_one_account(s3_store: Bucket, alice_api: Api, charlie_api: Api, name: str) -> None:
    prepared = prepare(alice_api, "a")
    send(prepared)
    other = charlie_api if name == "a" else alice_api
    assert error(other.post(f"files/{name}/finish", {"upload": prepared["upload"]})) == (400, "bad_upload")


@pytest.mark.parametrize("token", ["", "nonsense", None, 5, "\ud800", "a:b:c", "\0"])
def test_made_up_token_is_refused(s3_store: Bucket, alice_api: Api, token: Any) -> None:
    assert error(alice_api.post("files/a/finish", {"upload": token})) == (400, "bad_upload")
