"""The pages of budgets, and what pages of jobs say of holds."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Action, Brake, Budget
from billing.services.brake import check_keys
from billing.services.budgets import set_budget
from billing.services.enforce import check_budgets
from billing.services.usage import post_usage
from jobs.models import Hold, Job
from tests.billing.using import use
from tests.submitting import submit

PATH = "/billing/budgets/"
WHOLE = {"scope": "account", "name": "", "amount": "20", "action": "hold", "mails": "on"}


@pytest.fixture
def spent(alice: Any) -> Budget:
    """A budget that holds three jobs."""
    budget = set_budget(account=alice, amount=1)
    use(alice, 20 * 3_600_000, at=timezone.now() - timedelta(minutes=1))
    post_usage()
    check_budgets()
    submit(alice, count=3)
    return budget


def text(client: Any, path: str = PATH) -> str:
    content: str = client.get(path).content.decode()
    return content


def test_without_any_it_says_what_they_are_for(alice_client: Any) -> None:
    assert "No budgets yet" in text(alice_client)


def test_setting_one(alice: Any, alice_client: Any) -> None:
    answer = alice_client.post(f"{PATH}set/", WHOLE, follow=True)
    assert "The budget of the whole account is set." in answer.content.decode()
    budget = Budget.objects.get(account=alice)
    assert (budget.amount, budget.action, budget.mails) == (20, Action.HOLD, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "lots"}, "A budget is dollars of a month"),
        ({"name": "night"}, "A budget of the whole account has no name"),
        ({"scope": "label"}, "name must be a label of jobs"),
        ({"scope": "cron", "name": "nothing"}, "There is no cron"),
        ({"action": "explode"}, "Select a valid choice"),
    ],
)
def test_bad_form_says_what_is_wrong(alice_client: Any, wrong: dict[str, str], said: str) -> None:
    answer = alice_client.post(f"{PATH}set/", WHOLE | wrong)
    assert (answer.status_code, said in answer.content.decode()) == (400, True)
    assert Budget.objects.count() == 0


def test_second_for_the_same_says_so(alice: Any, alice_client: Any) -> None:
    set_budget(account=alice, amount=1)
    answer = alice_client.post(f"{PATH}set/", WHOLE)
    assert (answer.status_code, "change that one" in answer.content.decode()) == (400, True)


def test_address_can_begin_the_form(alice_client: Any) -> None:
    page = text(alice_client, f"{PATH}?scope=label&name=night")
    assert '<option value="label" selected>' in page
    assert 'value="night"' in page


def test_it_shows_what_is_spent_and_held(spent: Budget, alice_client: Any) -> None:
    page = text(alice_client)
    assert "$1.00 of $1.00" in page
    assert "Holding" in page
    assert "3 jobs wait" in page


def test_pages_of_jobs_lead_there(spent: Budget, alice_client: Any) -> None:
    jid = Job.objects.filter(reason="budget").values_list("jid", flat=True).first()
    for path in ("/jobs/", f"/jobs/{jid}/"):
        page = text(alice_client, path)
        assert "The budget of the whole account, $1.00 a month, is spent." in page
        assert f"{PATH}#held" in page


def test_raising_it_lets_jobs_go_on(spent: Budget, alice_client: Any) -> None:
    answer = alice_client.post(f"{PATH}{spent.pk}/edit/", {"amount": "5.00", "action": "hold"}, follow=True)
    assert "is changed" in answer.content.decode()
    assert Job.objects.filter(status="queued").count() == 3


def test_running_on_lets_jobs_go_on(spent: Budget, alice_client: Any) -> None:
    page = alice_client.post(f"{PATH}{spent.pk}/waive/", follow=True).content.decode()
    assert "runs on this month" in page
    assert Job.objects.filter(status="queued").count() == 3


def test_removing_asks_first(spent: Budget, alice_client: Any) -> None:
    assert "The jobs that it holds go on" in text(alice_client, f"{PATH}{spent.pk}/remove/")
    assert Budget.objects.count() == 1
    alice_client.post(f"{PATH}{spent.pk}/remove/")
    assert (Budget.objects.count(), Job.objects.filter(status="queued").count()) == (0, 3)


def test_brake_is_lifted_by_its_button(alice: Any, alice_client: Any) -> None:
    brake = Brake.objects.create(account=alice, api_key=7, sentence="API key 7 used far too much.")
    check_keys()
    assert "Lift the brake" in text(alice_client)
    alice_client.post(f"/billing/brakes/{brake.pk}/lift/")
    assert Hold.objects.count() == 0


def test_list_costs_the_same_for_one_and_for_many(
    alice: Any, alice_client: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        set_budget(account=alice, scope="label", name=f"label {n}", amount=1)
    with django_assert_max_num_queries(16):
        text(alice_client)


def test_operator_lets_go_in_the_admin_site(spent: Budget, operator: Any, client: Any) -> None:
    client.force_login(operator)
    operator.is_superuser = True
    operator.save()
    client.post("/admin/billing/budget/", {"action": "let_go", "_selected_action": [spent.pk]})
    assert Job.objects.filter(status="queued").count() == 3
