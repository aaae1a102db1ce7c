"""What machines cost beside what accounts pay, for the operator."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from billing.selectors.margin import margin_of
from billing.selectors.months import Sums
from billing.services.usage import post_usage
from jobs.models import Dedication
from realtime.models import Host
from tests.billing.using import MARCH, NOON, use


def host(name: str, *, begin: Any, hours: float | None, price: int = 500_000) -> None:
    Host.objects.create(
        provider="ec2", name=name, core_types="c1", slots=4, launched_at=begin, price_micros_per_hour=price,
        state="ready" if hours is None else "gone", gone_at=None if hours is None else begin + timedelta(hours=hours),
    )  # fmt: skip


def paid(now: Any = MARCH.end) -> Decimal:
    return margin_of(MARCH, Sums(), now).paid


def test_a_machine_costs_for_the_part_of_the_month_in_which_it_was_there() -> None:
    host("a", begin=NOON, hours=2)
    host("before", begin=MARCH.start - timedelta(hours=3), hours=2)
    host("across", begin=MARCH.start - timedelta(hours=1), hours=3)
    host("after", begin=MARCH.end, hours=1)
    assert paid() == Decimal("2.00")


def test_a_machine_that_is_still_there_costs_until_now() -> None:
    host("a", begin=NOON, hours=None)
    assert paid(NOON + timedelta(hours=4)) == Decimal("2.00")
    assert paid(NOON - timedelta(hours=4)) == 0


def test_the_operator_sees_the_margin(operator: Any, alice: Any) -> None:
    client = Client()
    client.force_login(operator)
    use(alice, *[3_600_000] * 100)
    post_usage()
    page = "/operate/billing/?month=2026-03"
    assert "No machine of this month has a price" in client.get(page).content.decode()
    host("a", begin=NOON, hours=5)
    Dedication.objects.create(worker="w1", account=alice, core_type_id="c1")
    found = client.get(page).content.decode()
    # $5.00 charged, $2.50 paid
    assert "$2.50" in found
    assert "50 %" in found
    assert "1 idle" in found
