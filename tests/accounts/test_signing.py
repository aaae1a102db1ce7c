"""Signing up, in and out."""

from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.selectors import user_for_key

pytestmark = pytest.mark.django_db
FORM = {"username": "dora", "email": "", "password": "a good long one"}


def sign_in(client: Client, name: str = "alice", password: str = "alice-password", **fields: str) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password, **fields})


def test_sign_up_leads_to_lines_with_the_own_key(client: Client) -> None:
    answer = client.post("/sign-up/", FORM, follow=True)
    assert answer.redirect_chain == [("/welcome/", 302)]
    first_key = answer.context["first_key"]
    assert user_for_key(first_key["api_key"], first_key["api_secretkey"]).username == "dora"
    assert first_key["api_secretkey"] in answer.content.decode()
    assert answer["Cache-Control"].startswith("max-age=0")


def test_key_is_shown_again_until_it_was_copied(client: Client) -> None:
    client.post("/sign-up/", FORM)
    assert client.get("/welcome/").context["first_key"]
    assert client.post("/welcome/").headers["Location"] == "/jobs/"
    assert client.get("/welcome/").context["first_key"] is None


def test_key_is_forgotten_after_the_first_job(client: Client, base_environment: Any) -> None:
    from tests.submitting import submit

    client.post("/sign-up/", FORM)
    submit(User.objects.get())
    answer = client.get("/welcome/")
    assert answer.context["has_jobs"]
    assert answer.context["first_key"] is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "ALICE"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"email": "Alice@example.org"}, "email"),
        ({"password": ""}, "password"),
        ({"password": "short"}, "password"),
        ({"password": "password"}, "password"),
        ({"username": "doradora", "password": "doradora"}, "password"),
    ],
)
def test_bad_sign_up_is_said_beside_its_field(client: Client, alice: User, fields: dict[str, str], field: str) -> None:
    answer = client.post("/sign-up/", FORM | fields)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert User.objects.count() == 1


def test_closed_sign_up_says_so(client: Client, settings: Any) -> None:
    settings.SIGN_UP_OPEN = False
    for answer in (client.get("/sign-up/"), client.post("/sign-up/", FORM)):
        assert answer.status_code == 403
        assert "closed" in answer.content.decode()
    assert not User.objects.exists()


def test_first_account_of_a_fresh_installation_administers_it(client: Client) -> None:
    client.post("/sign-up/", FORM)
    Client().post("/sign-up/", FORM | {"username": "emil"})
    assert list(User.objects.order_by("pk").values_list("is_staff", "is_superuser")) == [(True, True), (False, False)]


@pytest.mark.parametrize(("name", "value"), [("HOST", "0.0.0.0"), ("PUBLIC_URL", "https://picloud.example.org")])
def test_nobody_administers_by_signing_up_where_others_can_reach(
    client: Client, settings: Any, name: str, value: str
) -> None:
    setattr(settings, name, value)
    client.post("/sign-up/", FORM)
    assert not User.objects.get().is_staff


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_sign_in(client: Client, alice: User, name: str) -> None:
    assert sign_in(client, name).headers["Location"] == "/jobs/"
    assert client.get("/account/").context["user"] == alice


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", "alice-password"), ("", "")])
def test_wrong_sign_in_tells_nothing(client: Client, alice: User, name: str, password: str) -> None:
    answer = sign_in(client, name, password)
    assert answer.status_code == 400
    assert site.SESSION_COOKIE_NAME not in client.cookies


def test_name_and_password_fail_in_the_same_words(client: Client, alice: User) -> None:
    errors = [sign_in(client, *wrong).context["form"].errors for wrong in (("alice", "x"), ("nobody", "x"))]
    assert errors[0] == errors[1]


def test_closed_account_cannot_sign_in(client: Client, alice: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(client).status_code == 400


@pytest.mark.parametrize("wanted", ["/files/", "/jobs/?status=done"])
def test_one_arrives_where_one_wanted_to_go(client: Client, alice: User, wanted: str) -> None:
    assert sign_in(client, next=wanted).headers["Location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "\x08//e",
    ],
)
def test_one_never_arrives_elsewhere(client: Client, alice: User, wanted: str) -> None:
    assert sign_in(client, next=wanted).headers["Location"] == "/jobs/"


def test_who_is_signed_in_is_sent_on(alice_client: Client) -> None:
    assert alice_client.get("/sign-in/?next=/files/").headers["Location"] == "/files/"


def test_guessing_is_stopped(client: Client, alice: User) -> None:
    for _ in range(10):
        assert sign_in(client, password="wrong").status_code == 400
    assert sign_in(client, password="wrong").status_code == 429
    assert sign_in(client, "Alice").status_code == 429, "even with the right password"


def test_others_can_sign_in_meanwhile(client: Client, alice: User, bob: User) -> None:
    for _ in range(11):
        sign_in(client, password="wrong")
    assert sign_in(client, "bob", "bob-password").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere).status_code == 302


def test_one_address_cannot_try_many_names(client: Client, alice: User) -> None:
    from accounts import throttle

    request = client.get("/sign-in/").wsgi_request
    for number in range(throttle.FAILURES_PER_ADDRESS):
        throttle.count_try(request, action="sign-in", name=str(number))
    assert sign_in(client).status_code == 429


def test_without_redis_one_can_still_sign_in(client: Client, alice: User, settings: Any) -> None:
    from accounts import throttle

    settings.REDIS_URL = "unix:///nowhere.sock"
    throttle._redis.cache_clear()
    try:
        assert sign_in(client).status_code == 302
    finally:
        throttle._redis.cache_clear()


def test_session_is_a_new_one_after_signing_in(client: Client, alice: User) -> None:
    client.get("/sign-in/")
    client.session["x"] = 1
    client.session.save()
    before = client.session.session_key
    sign_in(client)
    assert client.session.session_key != before


def test_sign_out(alice_client: Client) -> None:
    assert alice_client.get("/sign-out/").status_code == 405
    assert alice_client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert alice_client.get("/account/").status_code == 302


@pytest.mark.parametrize("path", ["/sign-up/", "/sign-in/", "/sign-out/", "/password-reset/"])
def test_forms_from_other_sites_are_refused(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(path, FORM).status_code == 403


@pytest.mark.parametrize(
    "name", ["welcome", "profile", "password_change", "keys", "key_create", "key_deactivate", "key_activate"]
)
def test_pages_about_oneself_ask_to_sign_in(client: Client, name: str) -> None:
    path = reverse(f"accounts:{name}", args=[1] if name in ("key_deactivate", "key_activate") else [])
    assert client.get(path).headers["Location"] == f"/sign-in/?next={path}"
    assert not ApiKey.objects.exists()
