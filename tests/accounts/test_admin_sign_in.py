"""The sign-in page of the admin site is no way around the limit on guessing."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.throttle import FAILURES_PER_NAME

ADMIN, OURS = "/admin/login/", "/sign-in/"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("olga", password="olga-password")


def sign_in(client: Client, page: str, password: str = "wrong") -> Any:
    return client.post(page, {"username": "olga", "password": password, "next": "/admin/"})


def test_operator_signs_in(client: Client, operator: User) -> None:
    assert sign_in(client, ADMIN, "olga-password").status_code == 302


@pytest.mark.parametrize(("tried", "then"), [(ADMIN, ADMIN), (ADMIN, OURS), (OURS, ADMIN)])
def test_guessing_is_stopped_at_both_doors(client: Client, operator: User, tried: str, then: str) -> None:
    for _ in range(FAILURES_PER_NAME):
        sign_in(client, tried)
    answer = sign_in(client, then, "olga-password")
    assert answer.status_code in (200, 429)
    assert "Too many failed tries" in answer.content.decode()
