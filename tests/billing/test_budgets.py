"""Budgets: mail on the way to them, and holds when they are spent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from billing.models import Budget, LimitEvent
from billing.services.budgets import change_budget, remove_budget, set_budget, waive_budget
from billing.services.enforce import check_budgets, check_forecasts
from billing.services.notices import send_notices
from billing.services.usage import post_usage
from common.exceptions import Conflict, NotFound, Refused
from jobs.models import Hold, Job
from jobs.services.claim import jobs_to_stop
from jobs.states import Reason
from tests.billing.using import use
from tests.crons.making import make as make_cron
from tests.submitting import claim, submit

HOUR_MS = 3_600_000  # of c1: five cents
HELD, QUEUED = ("waiting", "budget"), ("queued", "")


def spend(user: Any, cents: int, **fields: Any) -> None:
    """Let an account use c1 for so many cents, in one minute of this month."""
    use(user, HOUR_MS * cents // 5, at=timezone.now() - timedelta(minutes=1), **fields)
    # A long run is charged in the hour in which it ended, and that is not to come.
    post_usage()


def statuses() -> list[tuple[str, str]]:
    """Of the jobs that have not ended."""
    return list(Job.objects.filter(run_ms=None).order_by("jid").values_list("status", "reason"))


def names() -> list[str]:
    return list(LimitEvent.objects.order_by("id").values_list("name", flat=True))


def test_spent_budget_holds_new_jobs(alice: Any, alice_client: Any) -> None:
    set_budget(account=alice, amount="1.00")
    spend(alice, 100)
    check_budgets()
    batch = submit(alice)
    assert statuses() == [HELD]
    page = alice_client.get(f"/jobs/{batch.first_jid}/").content.decode()
    assert "The budget of the whole account, $1.00 a month, is spent." in page


def test_below_the_budget_nothing_is_held(alice: Any) -> None:
    set_budget(account=alice, amount="1.00")
    spend(alice, 95)
    check_budgets()
    submit(alice)
    assert statuses() == [QUEUED]


def test_others_spending_is_not_counted(alice: Any, bob: Any) -> None:
    set_budget(account=alice, amount="1.00")
    spend(bob, 500)
    check_budgets()
    assert Hold.objects.count() == 0


def test_spending_of_another_month_is_not_counted(alice: Any) -> None:
    set_budget(account=alice, amount="1.00")
    spend(alice, 100)
    check_budgets(timezone.now())
    assert Hold.objects.count() == 1
    check_budgets(timezone.now() + timedelta(days=32))
    assert Hold.objects.count() == 0
    assert names() == ["budget.set", "budget.reached", "budget.held", "budget.released"]


def test_what_runs_counts_with_what_it_has_used(alice: Any) -> None:
    set_budget(account=alice, amount="0.10")
    submit(alice)
    assert claim(alice) is not None
    Job.objects.update(started_at=timezone.now() - timedelta(hours=2))
    check_budgets()
    submit(alice)
    assert statuses() == [("processing", ""), HELD]


def test_budget_of_a_label_counts_and_holds_that_label(alice: Any) -> None:
    set_budget(account=alice, scope="label", name="night", amount=1)
    spend(alice, 500)
    check_budgets()
    submit(alice, options={"label": "night"})
    assert statuses() == [QUEUED]
    spend(alice, 100, label="night")
    check_budgets()
    submit(alice)
    assert statuses() == [HELD, QUEUED]


def test_budget_of_a_cron_counts_its_runs(alice: Any) -> None:
    make_cron(alice, "tweet")
    set_budget(account=alice, scope="cron", name="tweet", amount=1)
    spend(alice, 100, label="cron_tweet")
    check_budgets()
    hold = Hold.objects.get()
    assert (hold.label, "cron “tweet”" in hold.sentence) == ("cron_tweet", True)


def test_budget_that_only_mails_holds_nothing(alice: Any) -> None:
    set_budget(account=alice, amount=1, action="mail")
    spend(alice, 200)
    check_budgets()
    assert (Hold.objects.count(), "Jobs go on" in LimitEvent.objects.get(name="budget.reached").sentence) == (0, True)


def test_running_jobs_are_killed_where_that_was_chosen(alice: Any) -> None:
    set_budget(account=alice, amount=1, action="kill")
    submit(alice)
    found = claim(alice)
    assert found is not None
    spend(alice, 100)
    check_budgets()
    assert jobs_to_stop(worker="w1", job_ids=[found.jobs[0].pk]) == {found.jobs[0].pk: Reason.BUDGET}


@pytest.mark.parametrize(("cents", "said"), [(45, []), (50, ["50 %"]), (85, ["85 %"]), (100, ["held from now on"])])
def test_shares_are_mailed(alice: Any, cents: int, said: list[str]) -> None:
    set_budget(account=alice, amount=1)
    spend(alice, cents)
    check_budgets()
    send_notices()
    assert [words for message in mail.outbox for words in said if words in message.body] == said
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["alice@example.org"], "[PiCloud] Budget of the whole account")
    ] * len(said)


def test_each_share_is_mailed_once_in_a_month(alice: Any) -> None:
    set_budget(account=alice, amount=1)
    for cents in (50, 10, 30, 10):
        spend(alice, cents)
        for _ in range(2):
            check_budgets()
            send_notices()
    assert len(mail.outbox) == 3
    assert send_notices() == 0


def test_without_mails_it_only_holds(alice: Any) -> None:
    set_budget(account=alice, amount=1, mails=False)
    spend(alice, 100)
    check_budgets()
    send_notices()
    assert (mail.outbox, Hold.objects.count()) == ([], 1)


def test_forecast_is_mailed_once(alice: Any) -> None:
    # Of the last month, because the ledger takes no hour that is to come.
    moment = datetime.now(UTC).replace(day=1, hour=12) - timedelta(days=15)
    set_budget(account=alice, amount="0.80")
    for days in (1, 2, 3):
        use(alice, HOUR_MS, at=moment - timedelta(days=days))
    post_usage()
    for _ in range(2):
        check_forecasts(moment)
    assert names() == ["budget.set", "budget.forecast"]
    assert "will come to about $" in LimitEvent.objects.get(name="budget.forecast").sentence


def test_raised_budget_lets_jobs_go_on_at_once(alice: Any) -> None:
    budget = set_budget(account=alice, amount=1)
    spend(alice, 100)
    check_budgets()
    submit(alice)
    change_budget(account=alice, number=budget.pk, wanted={"amount": "3.00"})
    assert statuses() == [QUEUED]
    spend(alice, 200)
    check_budgets()
    assert statuses() == [HELD]


def test_new_share_of_a_changed_budget_is_told_again(alice: Any) -> None:
    budget = set_budget(account=alice, amount=1)
    spend(alice, 100)
    check_budgets()
    change_budget(account=alice, number=budget.pk, wanted={"amount": 4})
    spend(alice, 100)
    check_budgets()
    assert names().count("budget.reached") == 2


def test_budget_below_what_is_spent_holds_at_once(alice: Any) -> None:
    spend(alice, 100)
    submit(alice)
    set_budget(account=alice, amount="0.50")
    assert statuses() == [HELD]


def test_waived_budget_holds_nothing_until_the_month_is_over(alice: Any) -> None:
    budget = set_budget(account=alice, amount=1)
    spend(alice, 100)
    check_budgets()
    submit(alice)
    waive_budget(account=alice, number=budget.pk, by=alice)
    check_budgets()
    assert statuses() == [QUEUED]


def test_removed_budget_lets_jobs_go_on(alice: Any) -> None:
    budget = set_budget(account=alice, amount=1)
    spend(alice, 100)
    check_budgets()
    submit(alice)
    remove_budget(account=alice, number=budget.pk)
    assert (statuses(), Hold.objects.count()) == ([QUEUED], 0)


def test_hold_of_a_budget_that_is_gone_is_lifted_by_the_clock(alice: Any) -> None:
    set_budget(account=alice, amount=1)
    spend(alice, 100)
    check_budgets()
    Budget.objects.all().delete()
    check_budgets()
    assert Hold.objects.count() == 0


@pytest.mark.parametrize("wrong", [0, -1, "", "much", None, True, "NaN", "Infinity", 0.001, "1.005", 1_000_001, [1]])
def test_what_is_no_amount_is_refused(alice: Any, wrong: Any) -> None:
    with pytest.raises(Refused, match="dollars of a month from"):
        set_budget(account=alice, amount=wrong)


@pytest.mark.parametrize(
    ("scope", "name"),
    [("account", "x"), ("label", ""), ("label", "é"), ("label", "x" * 201), ("cron", 3), ("everything", "")],
)
def test_what_is_no_scope_or_name_is_refused(alice: Any, scope: str, name: Any) -> None:
    with pytest.raises(Refused):
        set_budget(account=alice, scope=scope, name=name, amount=1)


def test_cron_must_be_there(alice: Any, bob: Any) -> None:
    make_cron(bob, "tweet")
    with pytest.raises(NotFound):
        set_budget(account=alice, scope="cron", name="tweet", amount=1)


def test_second_budget_for_the_same_is_refused(alice: Any) -> None:
    set_budget(account=alice, amount=1)
    with pytest.raises(Conflict, match="change that one"):
        set_budget(account=alice, amount=2)


def test_bob_cannot_touch_it(alice: Any, bob: Any) -> None:
    budget = set_budget(account=alice, amount=1)
    for act in (
        lambda: change_budget(account=bob, number=budget.pk, wanted={"amount": 9}),
        lambda: waive_budget(account=bob, number=budget.pk, by=bob),
        lambda: remove_budget(account=bob, number=budget.pk),
    ):
        with pytest.raises(NotFound):
            act()
