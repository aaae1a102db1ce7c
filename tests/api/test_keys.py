"""API keys over HTTP, and how a request is recognised by one."""

import base64
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services import create_api_key, deactivate_key
from jobs.models import Job
from jobs.services.tokens import token_for_run
from tests.submitting import Api


def answer_to(header: str) -> tuple[int, str]:
    answer = Client(headers={"Authorization": header}).get("/api/v1/account")
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_key_opens_its_owners_account(alice_api: Api) -> None:
    assert alice_api.get("account").json()["username"] == "alice"


def test_wrong_secret(alice_api: Api, charlie_api: Api) -> None:
    assert answer_to(basic(f"{alice_api.key.pk}:wrong")) == (401, "bad_key")
    assert answer_to(basic(f"{alice_api.key.pk}:{charlie_api.secret}")) == (401, "bad_key")
    assert answer_to(basic(f"{alice_api.key.pk}:")) == (401, "bad_key")


@pytest.mark.parametrize("number", ["", "0", "-1", "999999", "9" * 30, "1 or 1=1", "²", "١", "1.0", "\0"])
@pytest.mark.django_db
def test_key_that_does_not_exist(number: str) -> None:
    assert answer_to(basic(f"{number}:secret")) == (401, "bad_key")


@pytest.mark.parametrize("header", ["", "Basic", "Basic ???", "Basic YQ==", "Digest x", "nonsense"])
@pytest.mark.django_db
def test_header_that_is_no_key(header: str) -> None:
    assert answer_to(header)[0] == 401


def test_revoked_key_is_told_so_only_with_its_secret(alice: Any, alice_api: Api) -> None:
    deactivate_key(user=alice, key_id=alice_api.key.pk)
    assert answer_to(basic(f"{alice_api.key.pk}:{alice_api.secret}")) == (401, "key_inactive")
    assert answer_to(basic(f"{alice_api.key.pk}:wrong")) == (401, "bad_key")


def test_key_of_a_closed_account(alice: Any, alice_api: Api) -> None:
    alice.is_active = False
    alice.save()
    assert alice_api.get("account").json()["error"]["code"] == "key_inactive"


def test_no_browser_is_asked_to_remember_a_key(client: Client, db: None) -> None:
    assert "basic" not in client.get("/api/v1/account")["WWW-Authenticate"].lower()


def test_being_signed_in_on_the_page_opens_nothing(alice_client: Client) -> None:
    assert alice_client.get("/api/v1/account").status_code == 401


def test_a_request_costs_one_query_for_its_key(alice_api: Api, django_assert_num_queries: Any) -> None:
    alice_api.get("account")
    # One for the key, one for the rest of the account's row.
    with django_assert_num_queries(2):
        alice_api.get("account")


def test_last_use_is_noted_once_a_minute(alice_api: Api) -> None:
    alice_api.get("account")
    first = ApiKey.objects.get().last_used_at
    alice_api.get("account")
    assert first is not None
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timezone.timedelta(minutes=2))
    alice_api.get("account")
    assert ApiKey.objects.get().last_used_at > first


def test_keys_are_listed_without_their_secrets(alice_api: Api) -> None:
    (key,) = alice_api.get("keys").json()["keys"]
    assert set(key) == {"api_key", "note", "active", "created", "last_used"}
    assert (key["api_key"], key["note"], key["active"]) == (alice_api.key.pk, "test", True)


def test_new_key_tells_its_secret_once(alice_api: Api) -> None:
    made = alice_api.post("keys", {"note": "laptop"}).json()
    assert answer_to(basic(f"{made['api_key']}:{made['api_secretkey']}")) == (200, "")
    assert made["api_secretkey"] not in alice_api.get("keys").content.decode()
    assert made["api_secretkey"] not in ApiKey.objects.get(pk=made["api_key"]).secret_sha256


@pytest.mark.parametrize("note", [5, ["x"], "x" * 201, "a\0b", "a\nb", "\ud800", "\u202e"])
def test_bad_note_is_refused(alice_api: Api, note: Any) -> None:
    assert alice_api.post("keys", {"note": note}).status_code == 400


def test_key_is_deactivated_and_activated(alice: Any, alice_api: Api) -> None:
    key, secret = create_api_key(user=alice, note="old laptop")
    assert alice_api.post(f"keys/{key.pk}/deactivate", {}).json()["active"] is False
    assert answer_to(basic(f"{key.pk}:{secret}")) == (401, "key_inactive")
    assert alice_api.post(f"keys/{key.pk}/activate", {}).json()["active"] is True
    assert answer_to(basic(f"{key.pk}:{secret}")) == (200, "")


@pytest.mark.parametrize("what", ["deactivate", "activate"])
def test_stranger_is_told_it_does_not_exist(alice_api: Api, charlie_api: Api, what: str) -> None:
    answer = charlie_api.post(f"keys/{alice_api.key.pk}/{what}", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_unknown")
    assert ApiKey.objects.get(pk=alice_api.key.pk).is_active


def test_a_job_cannot_make_keys_that_outlive_it(alice: Any, base_environment: Any) -> None:
    from tests.submitting import claim, submit

    submit(alice)
    claim(alice)
    token = token_for_run(account_id=alice.pk, worker="w1", jids=[Job.objects.get().jid])
    job = Client(headers={"Authorization": f"Bearer {token}"})
    assert job.get("/api/v1/account").json()["username"] == "alice"
    answer = job.post("/api/v1/keys", {"note": "mine"}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_in_a_job")
    assert job.post(f"/api/v1/keys/{ApiKey.objects.first().pk}/deactivate").status_code == 403


@pytest.mark.parametrize("number", [0, 2**63, 10**40])
def test_number_that_no_key_has(alice_api: Api, alice_client: Client, number: int) -> None:
    assert alice_api.post(f"keys/{number}/deactivate", {}).status_code == 404
    assert alice_client.post(f"/account/keys/{number}/deactivate/").status_code == 404
