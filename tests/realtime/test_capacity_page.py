"""The operator's page about capacity."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from realtime.models import Decision, ForecastHour, Host, LoadHour

PAGE = "/operate/capacity/"


@pytest.fixture
def staff(alice: Any, alice_client: Client) -> Client:
    alice.is_staff = True
    alice.save()
    return alice_client


def text_of(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def decided(n: int = 1, **fields: Any) -> None:
    for number in range(n):
        values = {"wanted": number, "ready": 2, "reasons": [f"Reason {number}."]} | fields
        Decision.objects.create(core_type_id="c1", **values)


def test_it_is_for_operators(alice_client: Client, client: Client) -> None:
    assert alice_client.get(PAGE).status_code == 404
    assert client.get(PAGE).status_code == 302


def test_it_is_only_read(staff: Client) -> None:
    assert staff.post(PAGE).status_code == 405


def test_before_anything_happened(staff: Client) -> None:
    page = text_of(staff)
    assert "Nothing was decided yet" in page
    assert "No machine has reported yet" in page


def test_decisions_with_their_reasons(staff: Client) -> None:
    decided(launch=3, started=2, problem="The rack is full.")
    page = text_of(staff)
    assert "Reason 0." in page
    assert "The rack is full." in page
    assert '<span title="3 asked for">+2</span>' in page


def test_only_those_that_did_something(staff: Client) -> None:
    decided(2)
    decided(1, drain=1, reasons=["One goes."])
    assert "−1" in text_of(staff, "?show=acts")
    assert "Reason 1." not in text_of(staff, "?show=acts").split('id="decisions"')[1]


def test_older_decisions_are_on_the_next_page(staff: Client) -> None:
    decided(51)
    first = text_of(staff)
    assert 'rel="next"' in first
    oldest = Decision.objects.earliest("id")
    page = text_of(staff, f"?before={oldest.pk + 1}").split('id="decisions"')[1]
    assert "Reason 0." in page
    assert "Reason 1." not in page


@pytest.mark.parametrize("before", ["x", "9" * 30, "-1"])
def test_a_bad_cursor_is_no_error_of_ours(staff: Client, before: str) -> None:
    assert staff.get(f"{PAGE}?before={before}").status_code in (200, 400)


def test_machines(staff: Client) -> None:
    Host.objects.create(name="own", provider="local", core_types="c1,c2", slots=2, state="ready")
    Host.objects.create(
        name="rented", provider="ec2", reference="i-1", core_types="f2", slots=8, state="booting",
        price_micros_per_hour=340_000, is_spot=True, problem="It is late.",
    )  # fmt: skip
    page = text_of(staff)
    for words in ("own", "c1, c2", "0 of 2", "rented", "Booting", "$0.34", "spot", "It is late."):
        assert words in page


def test_load_beside_what_was_expected(staff: Client, bob: Any) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    ForecastHour.objects.create(core_type_id="c1", hour=hour, cron_core_ms=1_800_000, habit_core_ms=3_600_000)
    LoadHour.objects.create(core_type_id="c1", hour=hour, account=bob, core_ms=7_200_000, runs=9)
    page = text_of(staff)
    assert "2.00 cores, 1.50 expected" in page
    assert '<td class="num">0.50</td><td class="num">1.00</td><td class="num">1.50</td><td class="num">2.00' in page


def test_as_many_questions_for_forty_decisions_as_for_one(staff: Client, django_assert_max_num_queries: Any) -> None:
    decided(40)
    with django_assert_max_num_queries(20):
        text_of(staff)
