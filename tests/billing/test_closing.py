"""Closing months, corrections, storage and rates."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from billing.models import Books, Kind, LedgerDay, LedgerEntry, Rate, RateKind, Statement, StorageDay
from billing.models.frozen import Frozen
from billing.months import month_of
from billing.selectors.statements import bill_for
from billing.services import statements, storage
from billing.services.books import locked_books
from billing.services.corrections import correct
from billing.services.rates import RateMissing, add_rate, rate_at
from billing.services.reconcile import reconcile
from billing.services.statements import close_months
from billing.services.usage import post_usage
from common.exceptions import NotFound, Refused
from storage.models import StoredFile
from tests.billing.using import MARCH, NOON, charged, use


@pytest.fixture
def march(alice: Any, bob: Any) -> None:
    """Two accounts with a month that is long over."""
    use(alice, 3_600_000, label="videos", function="encode", module="videos", api_key=3)
    use(alice, 1000, core_type="c2", cores=4, label="cron_nightly")
    use(bob, 1000)
    post_usage()


def test_a_month_that_is_over_is_closed_for_all(alice: Any, bob: Any, march: None) -> None:
    assert close_months() == 2
    statement = Statement.objects.get(account=alice)
    assert (statement.month, statement.entries) == (MARCH.first, 2)
    assert statement.amount == charged(alice)
    assert close_months() == 0
    assert Books.objects.get().open_from == month_of(timezone.now()).start


def test_the_present_month_stays_open(alice: Any) -> None:
    use(alice, 1000, at=timezone.now() - timedelta(seconds=2))
    post_usage()
    assert close_months() == 0
    assert not bill_for(alice, month_of(timezone.now())).is_closed


def test_a_month_stays_open_until_the_last_reports_have_come(alice: Any, march: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(statements, "CLOSED_AFTER", timedelta(days=40_000))
    assert close_months() == 0


def test_a_closing_that_was_stopped_is_finished_the_next_time(alice: Any, march: None) -> None:
    Books.objects.update_or_create(pk=1, defaults={"open_from": MARCH.end})
    assert close_months() == 2


def test_a_second_clock_never_opens_what_the_first_closed(alice: Any, march: None, monkeypatch: Any) -> None:
    present = month_of(timezone.now()).start
    left = []

    @contextmanager
    def late() -> Iterator[Books]:
        # While this clock waits for the lock another one closes all that is over.
        Books.objects.update_or_create(pk=1, defaults={"open_from": present})
        with locked_books() as books:
            yield books
        left.append(Books.objects.get().open_from)

    monkeypatch.setattr(statements, "locked_books", late)
    close_months()
    assert left == [present]


def test_a_closed_month_says_the_same_whatever_happens_later(alice: Any, march: None) -> None:
    close_months()
    before = bill_for(alice, MARCH)
    use(alice, 1000, label="videos")
    post_usage()
    correct(account=alice, amount=Decimal(-1), note="sorry", by=alice, key="a")
    assert bill_for(alice, MARCH) == before
    assert reconcile().is_well


def test_a_statement_is_never_changed(alice: Any, march: None) -> None:
    close_months()
    statement = Statement.objects.get(account=alice)
    for act in (statement.save, statement.delete, Statement.objects.all().delete):
        with pytest.raises(Frozen):
            act()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_statement SET charge = 0")


def test_a_statement_has_its_lines_by_price_and_its_tables(alice: Any, march: None) -> None:
    use(alice, 3_600_000, price_micros=60_000)
    post_usage()
    close_months()
    bill = bill_for(alice, MARCH)
    assert [(line.core_type, line.price, line.runs) for line in bill.lines] == [
        ("c1", Decimal("0.05"), 1),
        ("c1", Decimal("0.06"), 1),
        ("c2", Decimal("0.125"), 1),
    ]
    assert bill.total.amount == sum(line.amount for line in bill.lines) == sum(
        line.amount for line in bill.tables["function"]
    )  # fmt: skip
    assert [line.name for line in bill.tables["cron"]] == ["", "nightly"]


def test_there_is_no_statement_of_a_month_without_anything(alice: Any, march: None) -> None:
    close_months()
    for month in (MARCH.before, month_of(timezone.now()).following):
        with pytest.raises(NotFound):
            bill_for(alice, month)


# -- corrections -------------------------------------------------------------------------------


def test_a_correction_is_a_row_of_its_own(alice: Any, operator: Any, march: None) -> None:
    correct(account=alice, amount=Decimal("-0.05"), note=" The disk was ours. ", by=operator, key=uuid.uuid4().hex)
    assert charged(alice, kind=Kind.CORRECTION) == Decimal("-0.05")
    line = LedgerEntry.objects.get(kind=Kind.CORRECTION)
    assert (line.note, line.made_by, line.runs) == ("The disk was ours.", operator, 0)
    assert [row.note for row in bill_for(alice, month_of(timezone.now())).lines] == ["The disk was ours."]


def test_a_form_that_is_sent_twice_corrects_once(alice: Any, operator: Any) -> None:
    for _ in range(2):
        correct(account=alice, amount=Decimal(5), note="twice", by=operator, key="same")
    assert charged(alice) == 5
    assert LedgerDay.objects.get().charge == LedgerEntry.objects.get().charge


@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity", "100000.01", "0.0000001", "-1e9"])
def test_an_amount_that_cannot_be(alice: Any, amount: str) -> None:
    with pytest.raises(Refused) as refused:
        correct(account=alice, amount=Decimal(amount), note="x", by=alice, key="k")
    assert refused.value.code == "bad_amount"


def test_a_day_takes_no_more_than_its_column(alice: Any) -> None:
    for n in range(25):
        correct(account=alice, amount=Decimal(100_000), note="x", by=alice, key=str(n))
    with pytest.raises(Refused, match="on one day"):
        correct(account=alice, amount=Decimal(100_000), note="x", by=alice, key="more")
    correct(account=alice, amount=Decimal(-100_000), note="x", by=alice, key="back")
    assert LedgerDay.objects.get().amount == 2_400_000


@pytest.mark.parametrize("note", ["", "  ", "x" * 201])
def test_a_correction_without_a_reason(alice: Any, note: str) -> None:
    with pytest.raises(Refused):
        correct(account=alice, amount=Decimal(1), note=note, by=alice, key="k")


def test_compute_is_not_entered_by_hand(alice: Any) -> None:
    with pytest.raises(Refused):
        correct(account=alice, amount=Decimal(1), note="x", by=alice, key="k", kind=Kind.COMPUTE)


# -- storage and rates -------------------------------------------------------------------------


def keep(account: Any, size: int, name: str = "a") -> None:
    StoredFile.objects.create(account=account, name=name, size=size, key=f"{account.pk}/{name}")


@pytest.mark.parametrize("days", [28, 29, 30, 31])
def test_a_gigabyte_for_a_whole_month_costs_its_price(days: int) -> None:
    one = storage.charge_of_storage(size=10**9, micros=150_000, days_of_month=days)
    assert abs(Decimal(one * days) / Decimal("3.6e12") - Decimal("0.15")) < Decimal("1e-11")


def test_files_are_measured_and_charged_once_a_day(alice: Any, bob: Any, charlie: Any) -> None:
    Rate.objects.create(kind="storage", micros=150_000, effective_from=NOON)
    keep(alice, 10**9)
    keep(alice, 10**9, "b")
    keep(bob, 10**9)
    assert [storage.measure_storage(), storage.measure_storage()] == [2, 0]
    line = LedgerEntry.objects.get(account=alice)
    days = month_of(timezone.now()).last.day
    assert (line.kind, line.bytes, line.price_micros) == (Kind.STORAGE, 2 * 10**9, 150_000)
    assert line.charge == 2 * 150_000 * 3_600_000 // days
    assert StorageDay.objects.count() == 2


def test_without_a_price_storage_is_measured_and_free(alice: Any) -> None:
    keep(alice, 10**9)
    assert storage.measure_storage() == 1
    assert StorageDay.objects.get().bytes == 10**9
    assert not LedgerEntry.objects.exists()


def test_a_day_is_charged_at_the_price_in_force_on_it(alice: Any) -> None:
    Rate.objects.create(kind="storage", micros=1, effective_from=NOON)
    add_rate(kind=RateKind.STORAGE, price=Decimal("0.15"), effective_from=timezone.now() + timedelta(hours=1))
    keep(alice, 10**12)
    storage.measure_storage()
    assert LedgerEntry.objects.get().price_micros == 1


def test_a_rate_that_is_missing_is_said(alice: Any) -> None:
    keep(alice, 10**9)
    Rate.objects.all().delete()
    with pytest.raises(RateMissing, match="no rate of storage"):
        storage.measure_storage()
    assert not StorageDay.objects.exists()


def test_rates_are_dated_and_each_ends_where_the_next_begins() -> None:
    soon = timezone.now() + timedelta(days=1)
    add_rate(kind=RateKind.STORAGE, price=Decimal("0.15"), effective_from=soon)
    add_rate(kind=RateKind.STORAGE, price=Decimal("0.10"), effective_from=soon + timedelta(days=1))
    moments = [soon - timedelta(seconds=1), soon, soon + timedelta(days=1, seconds=-1), soon + timedelta(days=1)]
    assert [rate_at(RateKind.STORAGE, moment) for moment in moments] == [0, 150_000, 150_000, 100_000]


def test_rates_that_overlap_or_change_the_past_are_refused() -> None:
    soon = timezone.now() + timedelta(days=1)
    add_rate(kind=RateKind.STORAGE, price=Decimal("0.15"), effective_from=soon)
    for price, moment, code in (
        ("0.2", soon, "rate_overlaps"),
        ("0.2", datetime(2020, 1, 1, tzinfo=UTC), "bad_time"),
        ("-0.2", soon + timedelta(days=1), "bad_price"),
        ("0.0000001", soon + timedelta(days=1), "bad_price"),
        ("NaN", soon + timedelta(days=1), "bad_price"),
    ):
        with pytest.raises(Refused) as refused:
            add_rate(kind=RateKind.STORAGE, price=Decimal(price), effective_from=moment)
        assert refused.value.code == code
