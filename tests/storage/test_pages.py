"""The files page: list, upload with and without a script, download, delete."""

import io
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from storage.bucket import Bucket
from storage.models import StoredFile
from storage.services import save_file


def save(user: Any, name: str, data: bytes = b"hello") -> StoredFile:
    return save_file(account=user, name=name, stream=io.BytesIO(data), size=len(data))


def post(client: Client, *files: tuple[str, bytes], **headers: Any) -> Any:
    return client.post("/files/", {"file": [SimpleUploadedFile(name, data) for name, data in files]}, **headers)


def test_files_are_uploaded_by_a_form(store: Bucket, alice: Any, alice_client: Client) -> None:
    answer = post(alice_client, ("a.txt", b"one"), ("b.txt", b"x" * 3_000_000))
    assert answer.headers["Location"] == "/files/"
    assert dict(StoredFile.objects.values_list("name", "size")) == {"a.txt": 3, "b.txt": 3_000_000}
    assert "b.txt is uploaded" in alice_client.get("/files/").content.decode()


def test_form_without_a_file_says_so(alice_client: Client) -> None:
    answer = alice_client.post("/files/")
    assert answer.status_code == 400
    assert "Choose a file" in answer.content.decode()


def test_bad_name_in_a_form_is_said(alice_client: Client, file_store: Bucket) -> None:
    answer = post(alice_client, ("é" * 200, b"x"))
    assert answer.status_code == 400
    assert "too long: 400 bytes" in answer.content.decode()


def test_form_from_another_site_is_refused(alice: Any, file_store: Bucket) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert post(client, ("a", b"x")).status_code == 403
    assert client.generic("PUT", "/files/a/", b"x").status_code == 403
    assert not StoredFile.objects.exists()


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read  # type: ignore[assignment]


def test_body_of_a_stranger_is_not_even_read(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    unread = {"wsgi.input": Unread(), "CONTENT_LENGTH": "5000000000"}
    form = client.generic("POST", "/files/", content_type="multipart/form-data; boundary=x", **unread)
    assert form.headers["Location"].startswith("/sign-in/")
    client = Client()
    assert client.generic("PUT", "/files/a/", **unread).status_code == 401


def test_script_uploads_with_put(store: Bucket, alice: Any, alice_client: Client) -> None:
    answer = alice_client.generic("PUT", "/files/a%20b.mp4/", b"hello", "video/mp4")
    assert answer.json() == {"name": "a b.mp4", "size": 5}
    assert StoredFile.objects.get().content_type == "video/mp4"


@pytest.mark.parametrize("name", ["..", "a/b", "a" * 300, "a\0b", "a\u202eb"])
def test_script_is_told_of_a_bad_name(alice_client: Client, name: str) -> None:
    answer = alice_client.generic("PUT", f"/files/{quote(name, safe='')}/", b"x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_file_name")


def test_cut_off_upload_by_a_script_keeps_the_old_file(file_store: Bucket, alice: Any, alice_client: Client) -> None:
    save(alice, "a", b"old")
    cut = {"CONTENT_LENGTH": "100", "wsgi.input": io.BytesIO(b"half")}
    assert alice_client.generic("PUT", "/files/a/", **cut).json()["error"]["code"] == "cut_off"
    assert alice_client.get("/files/a/").getvalue() == b"old"


def test_download_is_kept_as_a_file(file_store: Bucket, alice: Any, alice_client: Client) -> None:
    save(alice, "page.html", b"<script>alert(1)</script>")
    answer = alice_client.get("/files/page.html/")
    assert answer.getvalue() == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_download_from_s3_is_kept_as_a_file(s3_store: Bucket, alice: Any, alice_client: Client) -> None:
    save(alice, "page.html", b"<script>alert(1)</script>")
    link = alice_client.get("/files/page.html/")
    assert link.status_code == 302
    answer = urllib3.request("GET", link.headers["Location"])
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'


def test_names_are_text_and_never_markup(file_store: Bucket, alice: Any, alice_client: Client) -> None:
    save(alice, "<img src=x onerror=alert(1)>")
    assert "<img src=x" not in alice_client.get("/files/").content.decode()


@pytest.mark.parametrize("name", ["a", "100%", "a?b=c", "a#b", "a b", "é", "a&b", "'\"", "delete", "x.delete"])
def test_every_good_name_has_its_addresses(file_store: Bucket, alice: Any, alice_client: Client, name: str) -> None:
    from django.urls import reverse

    save(alice, name)
    assert alice_client.get(reverse("files:download", args=[name])).getvalue() == b"hello"
    assert alice_client.post(reverse("files:delete", args=[name])).headers["Location"] == "/files/"
    assert not StoredFile.objects.exists()


def test_delete_asks_first(file_store: Bucket, alice: Any, alice_client: Client) -> None:
    save(alice, "a")
    assert alice_client.get("/files/a/delete/").status_code == 200
    assert StoredFile.objects.exists()


@pytest.mark.parametrize("path", ["/files/a/", "/files/a/delete/"])
def test_stranger_is_told_it_does_not_exist(file_store: Bucket, alice: Any, charlie_client: Client, path: str) -> None:
    save(alice, "a")
    assert charlie_client.get(path).status_code == 404
    assert charlie_client.post("/files/a/delete/").status_code == 404
    assert StoredFile.objects.exists()


@pytest.mark.parametrize("path", ["/files/", "/files/a/", "/files/a/delete/"])
def test_nobody_sees_anything_without_signing_in(client: Client, path: str, db: None) -> None:
    assert client.get(path).headers["Location"] == f"/sign-in/?next={path}"


def test_list_goes_on_page_by_page(alice: Any, alice_client: Client) -> None:
    StoredFile.objects.bulk_create(
        StoredFile(account=alice, name=f"{number:03}", size=1, key=f"files/{number}") for number in range(250)
    )
    names, after = [], ""
    while after is not None:
        page = alice_client.get("/files/", {"after": after}).context
        names += [file.name for file in page["files"]]
        after = page["next_after"]
    assert names == [f"{number:03}" for number in range(250)]


@pytest.mark.parametrize("after", ["\0", "a\0b", "\u202e", "%", "' OR 1=1 --", "x" * 10_000])
def test_list_answers_whatever_it_goes_on_after(alice: Any, alice_client: Client, after: str) -> None:
    assert alice_client.get("/files/", {"after": after}).status_code == 200


def test_list_costs_the_same_for_one_and_for_forty(
    alice: Any, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    StoredFile.objects.bulk_create(StoredFile(account=alice, name=f"{n}", size=1, key=f"{n}") for n in range(40))
    with django_assert_max_num_queries(5):
        alice_client.get("/files/")
