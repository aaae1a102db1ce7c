"""The free credit of each month."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from billing.models import Books, Kind, LedgerEntry
from billing.months import month_of
from billing.selectors.months import total_of
from billing.services import credit as credits_module
from billing.services.corrections import correct
from billing.services.credit import give_credit
from billing.services.notices import send_notices
from billing.services.usage import post_usage
from jobs.models import Hold, Job
from tests.billing.using import use
from tests.submitting import submit

HOUR_MS = 3_600_000  # of c1: five cents


@pytest.fixture(autouse=True)
def one_dollar(settings: Any) -> None:
    settings.MONTHLY_CREDIT = Decimal(1)
    settings.CREDIT_USED_UP = "hold"


def spend(user: Any, cents: int, at: datetime | None = None) -> None:
    use(user, HOUR_MS * cents // 5, at=at or timezone.now() - timedelta(minutes=1))
    post_usage()


def credit(user: Any) -> Decimal:
    return sum((row.amount for row in LedgerEntry.objects.filter(account=user, kind=Kind.CREDIT)), Decimal(0))


def test_credit_is_what_was_used(alice: Any, bob: Any) -> None:
    spend(alice, 40)
    for _ in range(3):
        give_credit()
    assert (credit(alice), credit(bob), total_of(alice, month_of(timezone.now())).amount) == (Decimal("-0.40"), 0, 0)


def test_more_than_the_credit_is_charged(alice: Any) -> None:
    spend(alice, 140)
    give_credit()
    assert (credit(alice), total_of(alice, month_of(timezone.now())).amount) == (-1, Decimal("0.40"))


def test_lines_come_once_an_hour_and_when_it_is_used_up(alice: Any) -> None:
    for cents in (10, 10, 100):
        spend(alice, cents)
        give_credit()
    assert [row.amount for row in LedgerEntry.objects.filter(kind=Kind.CREDIT).order_by("pk")] == [
        Decimal("-0.1"), Decimal("-0.9"),
    ]  # fmt: skip


def test_used_up_it_holds_and_is_mailed_once(alice: Any) -> None:
    spend(alice, 100)
    submit(alice)
    for _ in range(2):
        give_credit()
        send_notices()
    assert Job.objects.filter(status="waiting", reason="credit").count() == 1
    assert [message.subject for message in mail.outbox] == ["[PiCloud] Your free credit of the month is used up"]
    assert "New jobs are held until there is new credit" in mail.outbox[0].body
    assert "The free credit of the month, $1.00, is used up." in Hold.objects.get().sentence


def test_used_up_it_goes_on_where_that_is_the_setting(alice: Any, settings: Any) -> None:
    settings.CREDIT_USED_UP = "continue"
    spend(alice, 100)
    give_credit()
    send_notices()
    assert (Hold.objects.count(), "Jobs go on" in mail.outbox[0].body) == (0, True)


def test_next_month_jobs_go_on(alice: Any) -> None:
    spend(alice, 100)
    submit(alice)
    give_credit()
    give_credit(month_of(timezone.now()).end)
    assert Job.objects.filter(status="queued").count() == 1


def test_operator_can_give_more(alice: Any, operator: Any) -> None:
    spend(alice, 100)
    give_credit()
    correct(account=alice, amount=Decimal(-5), note="For the paper.", by=operator, key="one", kind=Kind.CREDIT)
    give_credit()
    assert Hold.objects.count() == 0


def test_without_a_credit_nothing_is_held(alice: Any, settings: Any) -> None:
    spend(alice, 100)
    give_credit()
    settings.MONTHLY_CREDIT = Decimal(0)
    give_credit()
    assert Hold.objects.count() == 0


def test_last_hours_of_a_month_get_their_credit_in_it(alice: Any) -> None:
    month = month_of(timezone.now()).before
    spend(alice, 20, at=month.end - timedelta(hours=5))
    give_credit(month.end + timedelta(hours=1))
    row = LedgerEntry.objects.get(kind=Kind.CREDIT)
    assert (row.at, row.amount, row.note) == (month.last_hour, Decimal("-0.2"), f"Free credit of {month.words}.")


def test_closed_month_is_left_alone(alice: Any) -> None:
    month = month_of(timezone.now()).before
    spend(alice, 20, at=month.end - timedelta(hours=5))
    Books.objects.update(open_from=month.end)
    give_credit(datetime.now(UTC))
    assert credit(alice) == 0


def test_the_tail_of_a_month_gets_its_credit_whatever_was_written_in_its_first_hours(alice: Any) -> None:
    month = month_of(timezone.now()).before
    for hour in range(6):
        spend(alice, 1, at=month.start + timedelta(hours=hour))
        give_credit(month.start + timedelta(hours=hour))
    for hour in range(6):
        spend(alice, 1, at=month.end - timedelta(hours=3))
        give_credit(month.end + timedelta(hours=hour))
    rows = LedgerEntry.objects.filter(kind=Kind.CREDIT)
    assert {row.amount for row in rows} == {Decimal("-0.01")}
    assert [rows.filter(at__lt=moment).count() for moment in (month.last_hour, month.end)] == [6, 12]


def test_two_clocks_at_the_turn_of_an_hour_write_it_once(alice: Any, monkeypatch: Any) -> None:
    spend(alice, 40)
    now = timezone.now()
    write = credits_module._write_one

    def after_another(account_id: int, month: Any, charge: int, moment: datetime) -> None:
        write(account_id, month, charge, moment)
        write(account_id, month, charge, moment + timedelta(hours=1))

    monkeypatch.setattr(credits_module, "_write_one", after_another)
    give_credit(now)
    assert credit(alice) == Decimal("-0.40")
