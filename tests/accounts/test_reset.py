"""Resetting a forgotten password by mail."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


def ask(client: Client, email: str, **headers: Any) -> Any:
    return client.post("/password-reset/", {"email": email}, follow=True, **headers)


def test_mail_leads_to_a_new_password(client: Client, alice: User) -> None:
    ask(client, "alice@example.org")
    (path,) = re.findall(r"http://127.0.0.1:8000(/password-reset/\S+)", str(mail.outbox[0].body))
    page = client.get(path, follow=True)
    done = client.post(
        page.redirect_chain[-1][0], {"new_password1": "another long one", "new_password2": "another long one"}
    )
    assert done.headers["Location"] == "/password-reset/done/"
    alice.refresh_from_db()
    assert alice.check_password("another long one")


def test_link_works_once(client: Client, alice: User) -> None:
    ask(client, "alice@example.org")
    (path,) = re.findall(r"http://127.0.0.1:8000(/password-reset/\S+)", str(mail.outbox[0].body))
    alice.set_password("changed meanwhile")
    alice.save()
    assert "used already" in client.get(path, follow=True).content.decode()


def test_pages_never_tell_whether_there_is_an_account(client: Client, alice: User) -> None:
    known, unknown = ask(client, "alice@example.org"), ask(client, "nobody@example.org")
    assert known.redirect_chain == unknown.redirect_chain
    assert re.sub(r'[\w]{64}|content="[^"]*"', "", known.content.decode()) == re.sub(
        r'[\w]{64}|content="[^"]*"', "", unknown.content.decode()
    )
    assert len(mail.outbox) == 1


def test_link_is_made_from_our_own_address(client: Client, alice: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    ask(client, "alice@example.org", HTTP_HOST="evil.example")
    assert "evil.example" not in str(mail.outbox[0].body)


def test_nobodys_mailbox_is_flooded(client: Client, alice: User) -> None:
    for _ in range(12):
        answer = ask(client, "alice@example.org")
    assert answer.status_code == 429
    assert len(mail.outbox) == 10


def test_who_has_no_address_is_told_what_to_do(client: Client) -> None:
    assert "operator" in client.get("/password-reset/").content.decode()
