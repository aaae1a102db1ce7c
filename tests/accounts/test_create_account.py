"""python manage.py create_account"""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.selectors import user_for_key
from accounts.services import create_user

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("create_account", *arguments, stdout=out)
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def test_prints_a_key_that_works() -> None:
    answer = create("alice", "--password", "P")
    assert set(answer) == {"username", "api_key", "api_secretkey"}
    assert type(answer["api_key"]) is int
    assert user_for_key(answer["api_key"], str(answer["api_secretkey"])).username == "alice"


def test_any_password_will_do_that_is_not_empty() -> None:
    create("alice", "--password", "P")
    assert User.objects.get().check_password("P")
    with pytest.raises(CommandError, match="must not be empty"):
        create("bob", "--password", "")


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_existing_name_is_a_clear_error(name: str) -> None:
    create("alice", "--password", "P")
    with pytest.raises(CommandError, match="already an account named"):
        create(name, "--password", "P")
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["", "a b", "a/b", "<b>", "a" * 151, "a\n", "a\0b"])
def test_bad_name_is_a_clear_error(name: str) -> None:
    with pytest.raises(CommandError, match="user name"):
        create(name, "--password", "P")


def test_bad_or_taken_address_is_a_clear_error() -> None:
    create("alice", "--password", "P", "--email", "a@example.org")
    for email in ("nonsense", "A@example.org"):
        with pytest.raises(CommandError, match="address"):
            create("bob", "--password", "P", "--email", email)


def test_many_may_have_no_address() -> None:
    create("alice", "--password", "P")
    create("bob", "--password", "P")
    assert list(User.objects.values_list("email", flat=True)) == [None, None]


def test_only_staff_may_administer() -> None:
    create("alice", "--password", "P")
    create("bob", "--password", "P", "--staff")
    assert list(User.objects.order_by("pk").values_list("is_staff", "is_superuser")) == [(False, False), (True, True)]


def test_two_at_the_same_moment_do_not_both_get_the_name() -> None:
    create_user(username="alice", password="P")
    with pytest.raises(IntegrityError), transaction.atomic():
        User(username="ALICE").save()
