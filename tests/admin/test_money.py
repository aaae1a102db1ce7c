"""What an operator may do to the books: add a correction, add a rate."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from billing.models import LedgerEntry, Rate
from tests.admin.test_admin import page


def correction(**fields: Any) -> dict[str, Any]:
    return {"kind": "correction", "amount": "-2.50", "note": "An outage of ours", "key": "k1", **fields}


def test_a_correction_is_a_line_by_the_operator_and_comes_once(
    admin_site: Client, operator: Any, alice: Any, bob: Any
) -> None:
    for _ in range(2):
        answer = admin_site.post(page(LedgerEntry, "add"), correction(account=alice.pk))
        assert answer.status_code == 302
    line = LedgerEntry.objects.get()
    assert (line.account, line.amount, line.made_by) == (alice, Decimal("-2.5"), operator)
    assert b"An outage of ours" in admin_site.get(page(LedgerEntry, "change", line.pk)).content
    assert "−$2.50" in admin_site.get(page(LedgerEntry, "changelist")).content.decode()


def test_a_correction_that_cannot_be_is_said_beside_the_field(admin_site: Client, alice: Any) -> None:
    for fields in ({"amount": "0"}, {"amount": "1e30"}, {"amount": "x"}, {"note": ""}, {"kind": "compute"}):
        answer = admin_site.post(page(LedgerEntry, "add"), correction(account=alice.pk, **fields))
        assert answer.status_code == 200
        assert b"errorlist" in answer.content
    assert not LedgerEntry.objects.exists()


def rate(moment: Any, **fields: Any) -> dict[str, Any]:
    local = timezone.localtime(moment)
    when = {"effective_from_0": f"{local:%Y-%m-%d}", "effective_from_1": f"{local:%H:%M:%S}"}
    return {"kind": "storage", "price": "0.15", **when, **fields}


def test_a_rate_is_added(admin_site: Client) -> None:
    answer = admin_site.post(page(Rate, "add"), rate(timezone.now() + timedelta(days=1)))
    assert answer.status_code == 302
    assert Rate.objects.get(micros=150_000).price == Decimal("0.15")


def test_a_rate_of_the_past_or_at_the_moment_of_another_is_not(admin_site: Client) -> None:
    soon = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    Rate.objects.create(kind="storage", micros=1, effective_from=soon)
    before = Rate.objects.count()
    for form in (
        rate(timezone.now() - timedelta(days=1)),
        rate(soon),
        rate(soon + timedelta(days=1), price="-1"),
        rate(soon + timedelta(days=1), price="0.0000001"),
    ):
        answer = admin_site.post(page(Rate, "add"), form)
        assert answer.status_code == 200
        assert b"errorlist" in answer.content
    assert Rate.objects.count() == before
