"""Uploads through the real server: cut off, refused early, and many slow ones at once."""

import base64
import json
import secrets
import socket
from contextlib import ExitStack

import pytest
import urllib3

from tests.stack import Account, Stack
from tests.waiting import wait_until

HALF = b"x" * 3_000_000


def authorization(account: Account) -> str:
    return "Basic " + base64.b64encode(f"{account.api_key}:{account.api_secretkey}".encode()).decode()


def ask(account: Account, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": authorization(account)}
    answer = urllib3.request(method, account.url + path, body=body, headers=headers, retries=False, timeout=20)
    return answer.status, answer.data


def begin_upload(stack: Stack, account: Account, name: str) -> socket.socket:
    """A connection on which 3 of 10 MB were sent."""
    connection = socket.create_connection(("127.0.0.1", stack.port))
    head = f"PUT /api/v1/files/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization(account)}\r\n"
    connection.sendall(head.encode() + b"Content-Length: 10000000\r\n\r\n" + HALF)
    return connection


def half_written(stack: Stack) -> list[str]:
    return [path.name for path in stack.home.joinpath("bucket").rglob("*.part")]


@pytest.fixture
def uploader(stack: Stack) -> Account:
    """An account of this test alone."""
    return stack.account(f"uploader-{secrets.token_hex(4)}")


def test_upload_that_is_cut_off_leaves_the_old_file_and_no_bytes(stack: Stack, uploader: Account) -> None:
    ask(uploader, "PUT", "/api/v1/files/video", b"old")
    with begin_upload(stack, uploader, "video"):
        wait_until(lambda: half_written(stack), what="the upload to begin")
    wait_until(lambda: not half_written(stack), what="the upload to be given up")
    assert ask(uploader, "GET", "/api/v1/files/video") == (200, b"old")


def test_refusal_is_heard_while_the_body_is_being_sent(uploader: Account) -> None:
    status, body = ask(uploader, "PUT", "/api/v1/files/a%2Fb", b"x" * 20_000_000)
    assert (status, json.loads(body)["error"]["code"]) == (400, "bad_file_name")


def test_slow_uploads_keep_nobody_waiting(stack: Stack, uploader: Account) -> None:
    with ExitStack() as slow:
        for number in range(12):
            slow.enter_context(begin_upload(stack, uploader, f"slow-{number}"))
        wait_until(lambda: len(half_written(stack)) == 12, what="all uploads to begin")
        assert ask(uploader, "GET", "/api/v1/account")[0] == 200
        assert ask(uploader, "PUT", "/api/v1/files/quick", b"x")[0] == 200
    wait_until(lambda: not half_written(stack), what="the uploads to be given up")
