"""What the API tells of the account and the place, and the one shape of its errors."""

import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from api.errors import api_view
from tests.submitting import Api


def test_account_is_described(alice_api: Api) -> None:
    account = alice_api.get("account").json()
    assert (account["username"], account["email"], account["time_zone"]) == ("alice", "alice@example.org", "UTC")


def test_core_types_have_prices(alice_api: Api) -> None:
    types = {row["code"]: row for row in alice_api.get("core-types").json()["core_types"]}
    assert list(types) == ["c1", "c2", "f2", "m1", "s1"]
    assert types["c1"]["dollars_per_core_hour"] == "0.05"
    assert types["c2"]["compute_units"] == 2.5
    assert all(Decimal(row["dollars_per_core_hour"]) > 0 for row in types.values())


def test_environments_are_listed(alice_api: Api, base_environment: Any) -> None:
    (environment,) = alice_api.get("environments").json()["environments"]
    assert (environment["name"], environment["python"]) == ("base", "3.11")


def test_wrong_method_is_refused_with_those_that_are_right(alice_api: Api) -> None:
    answer = alice_api.client.delete("/api/v1/account")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert answer.json()["error"] == {
        "code": "method_not_allowed",
        "message": "DELETE is not possible here; GET is.",
    }


@pytest.mark.parametrize("body", ["{", "[]", "5", "null", '"x"', "[" * 100_000, "\xff"])
def test_body_that_is_no_json_object_is_refused(alice_api: Api, body: str) -> None:
    answer = alice_api.client.generic("POST", "/api/v1/keys", body.encode("latin-1"), "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_json")


@pytest.mark.parametrize("path", ["nowhere", "", "jobs/x", "files/", "keys/1"])
def test_unknown_address_is_said_in_json(alice_api: Api, path: str) -> None:
    answer = alice_api.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "address_unknown")


def failing(error: Exception, api: Api) -> Any:
    @api_view("GET")
    def view(_request: Any, _caller: Any) -> Any:
        raise error

    return view(RequestFactory().get("/api/v1/x", HTTP_AUTHORIZATION=api.client.defaults["HTTP_AUTHORIZATION"]))


def test_defect_is_logged_under_the_number_that_is_told(alice_api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="api.errors"):
        answer = failing(RuntimeError("a secret detail"), alice_api)
    error = json.loads(answer.content)["error"]
    assert (answer.status_code, error["code"]) == (500, "server_error")
    assert error["id"] in caplog.text
    assert "secret" not in answer.content.decode()


def test_full_disk_under_the_database_is_said(alice_api: Api) -> None:
    answer = failing(OperationalError("database or disk is full"), alice_api)
    assert answer.status_code == 507
    assert b"disk is full" in answer.content
