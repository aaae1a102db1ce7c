"""Budgets over HTTP, as the document describes them."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Brake, Budget
from billing.services.brake import check_keys
from billing.services.enforce import check_budgets
from billing.services.usage import post_usage
from jobs.models import Job
from jobs.services.tokens import token_for_run
from tests.api.test_openapi import check
from tests.billing.using import use
from tests.submitting import Api, claim, submit

pytestmark = pytest.mark.usefixtures("base_environment")
ONE = "/api/v1/budgets/{number}"


def post(api: Api, path: str = "budgets", **body: Any) -> Any:
    return api.post(path, json.dumps(body))


def set_budget(api: Api, **body: Any) -> Any:
    answer = post(api, **{"amount": "1.00", **body})
    check(answer, "POST", "/api/v1/budgets")
    return answer


def spend(user: Any, cents: int) -> None:
    use(user, 3_600_000 * cents // 5, at=timezone.now() - timedelta(minutes=1))
    post_usage()
    check_budgets()


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_set_and_listed(alice: Any, alice_api: Api) -> None:
    answer = set_budget(alice_api, scope="label", name="night", action="kill", mails=False)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["scope"], told["name"], told["amount"], told["action"], told["mails"]) == (
        "label", "night", "1", "kill", False,
    )  # fmt: skip
    listed = alice_api.get("budgets")
    check(listed, "GET", "/api/v1/budgets")
    assert listed.json() == {"budgets": [told], "held": []}


def test_what_is_held_is_listed_with_what_lets_it_go(alice: Any, alice_api: Api) -> None:
    number = set_budget(alice_api).json()["budget"]
    spend(alice, 150)
    submit(alice, count=3)
    listed = alice_api.get("budgets")
    check(listed, "GET", "/api/v1/budgets")
    held = listed.json()["held"][0]
    assert (held["reason"], held["budget"], held["brake"], held["jobs"]) == ("budget", number, None, 3)
    budget = listed.json()["budgets"][0]
    assert (Decimal(budget["spent"]), budget["percent"], budget["left"], budget["holds"]) == (
        Decimal("1.5"), 150, "0", True,
    )  # fmt: skip


def test_changed_waived_and_removed(alice: Any, alice_api: Api) -> None:
    number = set_budget(alice_api).json()["budget"]
    spend(alice, 150)
    submit(alice)
    waived = post(alice_api, f"budgets/{number}/waive")
    check(waived, "POST", f"{ONE}/waive")
    assert (waived.json()["waived"], waived.json()["holds"]) == (True, False)
    assert Job.objects.filter(status="queued").count() == 1
    changed = alice_api.client.patch(
        f"/api/v1/budgets/{number}", json.dumps({"amount": 3}), content_type="application/json"
    )
    check(changed, "PATCH", ONE)
    assert changed.json()["percent"] == 50
    one = alice_api.get(f"budgets/{number}")
    check(one, "GET", ONE)
    assert alice_api.client.delete(f"/api/v1/budgets/{number}").status_code == 204
    assert Budget.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": 0}, "bad_amount"),
        ({"amount": None}, "bad_amount"),
        ({"scope": "all"}, "bad_option"),
        ({"scope": ["label"]}, "bad_option"),
        ({"scope": "label"}, "bad_option"),
        ({"scope": "label", "name": "a\0b"}, "bad_option"),
        ({"action": "explode"}, "bad_option"),
        ({"action": {}}, "bad_option"),
        ({"mails": "yes"}, "bad_option"),
        ({"colour": "red"}, "unknown_option"),
    ],
)
def test_what_cannot_be_is_refused(alice_api: Api, body: dict[str, Any], code: str) -> None:
    answer = set_budget(alice_api, **body)
    assert error(answer) == (400, code)


def test_second_for_the_same_is_refused(alice_api: Api) -> None:
    set_budget(alice_api)
    assert error(set_budget(alice_api)) == (409, "budget_exists")


def test_running_job_cannot_raise_what_limits_it(alice: Any, alice_api: Api) -> None:
    number = set_budget(alice_api).json()["budget"]
    submit(alice)
    assert claim(alice) is not None
    token = token_for_run(account_id=alice.pk, worker="w1", jids=[1])
    client, headers = alice_api.client.__class__(), {"Authorization": f"Bearer {token}"}
    body = json.dumps({"amount": 100})
    answers = [
        client.patch(f"/api/v1/budgets/{number}", body, content_type="application/json", headers=headers),
        client.post("/api/v1/budgets", body, content_type="application/json", headers=headers),
        client.post(f"/api/v1/budgets/{number}/waive", "{}", content_type="application/json", headers=headers),
        client.delete(f"/api/v1/budgets/{number}", headers=headers),
    ]
    assert [error(answer) for answer in answers] == [(403, "not_in_a_job")] * 4
    assert client.get("/api/v1/budgets", headers=headers).status_code == 200


def test_brake_is_lifted(alice: Any, alice_api: Api) -> None:
    brake = Brake.objects.create(account=alice, api_key=alice_api.key.pk, sentence="Far too fast.")
    check_keys()
    alice_api.submit()
    assert alice_api.get("budgets").json()["held"][0]["brake"] == brake.pk
    answer = post(alice_api, f"brakes/{brake.pk}/lift")
    check(answer, "POST", "/api/v1/brakes/{number}/lift")
    assert Job.objects.get().status == "queued"
