"""Bytes of files that are sent here and fetched, from the requests that carry them to lines of the ledger."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Kind, LedgerEntry, Rate
from billing.services.rates import RateMissing
from billing.services.transfers import charge_of_transfer, charge_transfers
from storage.models import TransferDay
from tests.submitting import Api

BEFORE = timezone.now().astimezone(UTC).date() - timedelta(days=2)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def prices(came: int, went: int) -> None:
    Rate.objects.create(kind="transfer_in", micros=came, effective_from=LONG_AGO)
    Rate.objects.create(kind="transfer_out", micros=went, effective_from=LONG_AGO)


def moved(account: Any, came: int = 0, went: int = 0, day: Any = BEFORE) -> None:
    TransferDay.objects.create(account=account, day=day, bytes_in=came, bytes_out=went)


def put(api: Api, name: str, data: bytes) -> None:
    answer = api.client.put(f"/api/v1/files/{name}", data, content_type="text/plain")
    assert answer.status_code in (200, 201)


def test_what_is_sent_and_fetched_is_counted_by_day(alice: Any, alice_api: Api) -> None:
    put(alice_api, "a.txt", b"x" * 1000)
    put(alice_api, "a.txt", b"y" * 500)
    b"".join(alice_api.client.get("/api/v1/files/a.txt").streaming_content)
    b"".join(alice_api.client.get("/api/v1/files/a.txt", HTTP_RANGE="bytes=0-99").streaming_content)
    alice_api.client.head("/api/v1/files/a.txt")
    assert alice_api.client.get("/api/v1/files/a.txt", HTTP_RANGE="bytes=900-").status_code == 416
    day = TransferDay.objects.get(account=alice)
    assert (day.bytes_in, day.bytes_out) == (1500, 600)
    assert day.day == timezone.now().astimezone(UTC).date()


def test_a_strangers_request_counts_for_nobody(alice: Any, alice_api: Api, charlie_api: Api) -> None:
    put(alice_api, "a.txt", b"x")
    assert charlie_api.client.get("/api/v1/files/a.txt").status_code == 404
    assert TransferDay.objects.get().bytes_out == 0


def test_days_that_are_over_are_charged_once(alice: Any, bob: Any) -> None:
    prices(150_000, 160_000)
    moved(alice, came=2 * 10**9, went=10**9)
    moved(bob, went=10**8)
    moved(alice, came=10**9, day=timezone.now().astimezone(UTC).date() + timedelta(days=1))
    assert [charge_transfers(), charge_transfers()] == [3, 0]
    lines = {line.kind: line for line in LedgerEntry.objects.filter(account=alice)}
    assert lines[Kind.TRANSFER_IN].amount == Decimal("0.30")
    assert lines[Kind.TRANSFER_OUT].amount == Decimal("0.16")
    assert lines[Kind.TRANSFER_OUT].bytes == 10**9
    assert LedgerEntry.objects.get(account=bob).amount == Decimal("0.016")


def test_a_day_is_charged_at_the_price_with_which_it_began(alice: Any) -> None:
    prices(0, 100_000)
    began = datetime.combine(BEFORE, datetime.min.time(), tzinfo=UTC)
    Rate.objects.create(kind="transfer_out", micros=900_000, effective_from=began + timedelta(hours=1))
    moved(alice, went=10**9)
    charge_transfers()
    assert LedgerEntry.objects.get().price_micros == 100_000


def test_without_a_price_nothing_is_charged(alice: Any) -> None:
    moved(alice, came=10**12, went=10**12)
    assert charge_transfers() == 0
    Rate.objects.all().delete()
    with pytest.raises(RateMissing, match="no rate of transfer_in"):
        charge_transfers()


def test_the_first_prices_of_2010() -> None:
    assert charge_of_transfer(size=10**9, micros=150_000) == 150_000 * 3_600_000
    assert charge_of_transfer(size=1, micros=1) == 0
