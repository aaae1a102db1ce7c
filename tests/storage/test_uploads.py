"""Files that nobody asked for are not taken in, not even for the time of the request."""

import io
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

SIZE = 30_000_000
HEAD = b'--B\r\nContent-Disposition: form-data; name="file"; filename="big"\r\nContent-Type: text/plain\r\n\r\n'


class Endless(io.RawIOBase):
    """The body of a form with a big file; counts what is read of it."""

    def __init__(self) -> None:
        self.was_read = 0

    def read(self, size: int = -1) -> bytes:
        part = HEAD if not self.was_read else b"x" * min(size, SIZE - self.was_read)
        self.was_read += len(part)
        return part


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-up/", "/theme/", "/files/a/", "/files/a/delete/", "/jobs/kill/"])
@pytest.mark.parametrize("signed_in", [False, True])
def test_form_with_a_file_is_not_read_to_its_end(alice: Any, path: str, signed_in: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    if signed_in:
        client.force_login(alice)
    # Without the cookie nothing of a form is looked at.
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    body = Endless()
    form = {"wsgi.input": body, "CONTENT_LENGTH": str(SIZE), "CONTENT_TYPE": "multipart/form-data; boundary=B"}
    answer = client.generic("POST", path, **form)
    assert 400 <= answer.status_code < 500
    assert 0 < body.was_read < 1_000_000


def test_upload_by_a_script_says_how_long_it_is(alice_client: Client, file_store: Any) -> None:
    answer = alice_client.generic("PUT", "/files/a/", b"", headers={"Content-Length": ""})
    assert (answer.status_code, answer.json()["error"]["code"]) == (411, "length_required")
