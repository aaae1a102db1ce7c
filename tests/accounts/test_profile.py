"""A person's profile, password, keys, and the zone times are shown in."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.middleware import show_times_in_own_zone
from accounts.models import ApiKey, User
from accounts.selectors import Unauthorized, user_for_key
from accounts.services import create_api_key

pytestmark = pytest.mark.django_db


def test_profile_is_changed(alice: User, alice_client: Client) -> None:
    answer = alice_client.post("/account/", {"email": "new@example.org", "time_zone": "Europe/Berlin"})
    assert answer.status_code == 302
    alice.refresh_from_db()
    assert (alice.email, alice.time_zone) == ("new@example.org", "Europe/Berlin")


def test_address_may_be_taken_away(alice: User, bob: User, alice_client: Client, bob_client: Client) -> None:
    for client in (alice_client, bob_client):
        assert client.post("/account/", {"email": "", "time_zone": "UTC"}).status_code == 302
    assert list(User.objects.values_list("email", flat=True)) == [None, None]


def test_own_address_may_be_kept(alice_client: Client) -> None:
    assert alice_client.post("/account/", {"email": "Alice@example.org", "time_zone": "UTC"}).status_code == 302


@pytest.mark.parametrize(
    ("email", "zone"),
    [("bob@example.org", "UTC"), ("BOB@example.org", "UTC"), ("x", "UTC"), ("", "Mars/Olympus"), ("", "../etc/passwd")],
)
def test_bad_profile_is_said_and_not_saved(alice: User, bob: User, alice_client: Client, email: str, zone: str) -> None:
    answer = alice_client.post("/account/", {"email": email, "time_zone": zone})
    assert answer.status_code == 400
    assert answer.context["form"].errors
    alice.refresh_from_db()
    assert (alice.email, alice.time_zone) == ("alice@example.org", "UTC")


@pytest.mark.parametrize(("zone", "shown"), [("Asia/Kolkata", "Asia/Kolkata"), ("Gone/Zone", "UTC"), ("", "UTC")])
def test_times_are_shown_in_the_own_zone(alice: User, rf: Any, settings: Any, zone: str, shown: str) -> None:
    alice.time_zone = zone
    request = rf.get("/", HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}=x")
    request.user = alice
    seen: list[str] = []
    show_times_in_own_zone(lambda _: seen.append(timezone.get_current_timezone_name()) or Any)(request)  # type: ignore[func-returns-value]
    assert seen == [shown]
    assert timezone.get_current_timezone_name() == "UTC"


def test_password_is_changed_and_other_sessions_end(alice: User, alice_client: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice)
    form = {"old_password": "alice-password", "new_password1": "another long one", "new_password2": "another long one"}
    assert alice_client.post("/account/password/", form).status_code == 302
    assert alice_client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302


@pytest.mark.parametrize("change", [{"old_password": "wrong"}, {"new_password2": "other"}, {"new_password1": "x"}])
def test_bad_password_change_is_refused(alice: User, alice_client: Client, change: dict[str, str]) -> None:
    form = {"old_password": "alice-password", "new_password1": "another long one", "new_password2": "another long one"}
    assert alice_client.post("/account/password/", form | change).status_code == 400
    alice.refresh_from_db()
    assert alice.check_password("alice-password")


def test_new_key_is_shown_once(alice: User, alice_client: Client) -> None:
    answer = alice_client.post("/account/keys/new/", {"note": "laptop"}, follow=True)
    new_key = answer.context["new_key"]
    assert user_for_key(new_key["api_key"], new_key["api_secretkey"]) == alice
    assert new_key["api_secretkey"] in answer.content.decode()
    again = alice_client.get("/account/keys/")
    assert new_key["api_secretkey"] not in again.content.decode()
    assert "laptop" in again.content.decode()


@pytest.mark.parametrize("note", ["x" * 201, "a\0b", "a\nb", "\u202e"])
def test_bad_note_is_refused(alice_client: Client, note: str) -> None:
    assert alice_client.post("/account/keys/new/", {"note": note}).status_code == 400
    assert not ApiKey.objects.exists()


def test_key_is_deactivated_and_activated(alice: User, alice_client: Client) -> None:
    key, secret = create_api_key(user=alice)
    alice_client.post(f"/account/keys/{key.pk}/deactivate/")
    with pytest.raises(Unauthorized):
        user_for_key(key.pk, secret)
    alice_client.post(f"/account/keys/{key.pk}/activate/")
    assert user_for_key(key.pk, secret) == alice


@pytest.mark.parametrize("what", ["deactivate", "activate"])
def test_stranger_is_told_it_does_not_exist(alice: User, charlie_client: Client, what: str) -> None:
    key, _ = create_api_key(user=alice)
    assert charlie_client.post(f"/account/keys/{key.pk}/{what}/").status_code == 404
    assert charlie_client.get(f"/account/keys/{key.pk}/{what}/").status_code == 405
    assert ApiKey.objects.get().is_active


def test_pages_show_no_other_persons_keys(alice: User, charlie_client: Client) -> None:
    create_api_key(user=alice, note="alices laptop")
    assert "alices laptop" not in charlie_client.get("/account/keys/").content.decode()


def test_list_costs_the_same_for_one_and_for_forty(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(40):
        create_api_key(user=alice)
    with django_assert_max_num_queries(5):
        alice_client.get("/account/keys/")


def test_secrets_are_not_kept(alice: User) -> None:
    key, secret = create_api_key(user=alice)
    assert len(secret) >= 43
    assert secret not in str(ApiKey.objects.filter(pk=key.pk).values())
