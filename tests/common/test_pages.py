"""What every page carries, and what pages say when something is refused."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from common.middleware import policy_for


@pytest.mark.django_db
def test_every_page_has_a_strict_policy(client: Client) -> None:
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_uploads_may_go_to_the_object_store() -> None:
    with override_settings(S3_BUCKET="files", S3_ENDPOINT_URL="https://s3.example.org:9000/base"):
        assert "connect-src 'self' https://s3.example.org:9000;" in policy_for("/files/") + ";"


@pytest.mark.django_db
def test_look_is_kept_in_a_cookie(client: Client) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": "/sign-up/"})
    assert answer["Location"] == "/sign-up/"
    assert b'data-theme="dark"' in client.get("/sign-in/").content


@pytest.mark.django_db
def test_look_nobody_knows_is_refused_by_a_sentence(client: Client) -> None:
    answer = client.post("/theme/", {"theme": "pink"})
    assert answer.status_code == 400
    assert b"must be one of system, light or dark" in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_choosing_a_look_leads_nowhere_else(client: Client, back: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": back})["Location"] == "/"


@pytest.mark.django_db
def test_nonsense_in_the_cookie_is_the_systems_look(client: Client) -> None:
    client.cookies["picloud_theme"] = '"><script>'
    assert b'data-theme="system"' in client.get("/sign-in/").content


def test_missing_page_says_so(alice_client: Client) -> None:
    answer = alice_client.get("/no-such-page/")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_opt_out_of_the_sandbox_is_on_every_page(alice_client: Client) -> None:
    with override_settings(SANDBOX="process"):
        assert b"without a sandbox" in alice_client.get("/files/").content
    assert settings.SANDBOX == "container"
    assert b"without a sandbox" not in alice_client.get("/files/").content


def test_admin_is_offered_to_staff_alone(alice: Any, alice_client: Client) -> None:
    assert b'href="/admin/"' not in alice_client.get("/files/").content
    alice.is_staff = True
    alice.save()
    assert b'href="/admin/"' in alice_client.get("/files/").content


def test_little_picture_is_where_browsers_look_for_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
