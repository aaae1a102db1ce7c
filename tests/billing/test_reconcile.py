"""The nightly look through all usage and the whole ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Books, Kind, LedgerDay, LedgerEntry, Reconciliation
from billing.services.books import locked_books
from billing.services.reconcile import reconcile, reconcile_nightly
from billing.services.usage import post_usage
from jobs.models import UsageRecord
from tests.billing.using import NOON, use


@pytest.fixture
def books(alice: Any, bob: Any) -> None:
    use(alice, 1000, 2000, 333)
    use(alice, 77_777, core_type="c2", cores=8)
    use(bob, 5000, price_micros=123_457)
    post_usage()


def test_usage_times_price_is_the_ledger(books: None) -> None:
    found = reconcile()
    assert (found.difference, found.findings, found.usage_rows, found.is_well) == (0, [], 5, True)
    assert found.usage_charge == found.ledger_charge != "0"


def test_usage_that_was_changed_is_found(alice: Any, books: None) -> None:
    UsageRecord.objects.filter(account=alice, jid=1).update(run_ms=2000)
    found = reconcile()
    assert not found.is_well
    assert found.findings[0].startswith("alice: 4 runs used for $0.02")
    assert found.difference < 0


def test_usage_that_is_gone_is_found(bob: Any, books: None) -> None:
    UsageRecord.objects.filter(account=bob).delete()
    assert reconcile().findings[0].startswith("bob: 0 runs used for $0, 1 charged for $0.0001714")


def test_sums_of_days_that_are_wrong_are_found(alice: Any, books: None) -> None:
    LedgerDay.objects.filter(account=alice).update(charge=0)
    assert reconcile().findings == ["alice: the sums of its days are not those of its ledger."]


def test_runs_that_wait_for_a_clock_are_found(alice: Any, books: None) -> None:
    use(alice, 1000)
    assert "1 runs that ended over ten minutes ago" in reconcile().findings[0]


def test_a_run_that_has_just_ended_is_no_finding(alice: Any, books: None) -> None:
    use(alice, 1000, at=timezone.now() - timedelta(minutes=1))
    assert reconcile().is_well


def test_corrections_and_the_like_do_not_disturb(alice: Any, books: None) -> None:
    LedgerEntry.objects.create(account=alice, kind=Kind.CORRECTION, at=NOON, charge=-5)
    assert reconcile().findings == ["alice: the sums of its days are not those of its ledger."]


def test_once_a_night(books: None) -> None:
    reconcile_nightly()
    reconcile_nightly()
    assert Reconciliation.objects.count() == 1
    Reconciliation.objects.update(at=timezone.now() - timedelta(days=1, minutes=1))
    reconcile_nightly()
    assert Reconciliation.objects.count() == 2


def test_what_is_written_while_it_looks_is_no_finding(alice: Any, books: None, monkeypatch: Any) -> None:
    day = LedgerDay.objects.filter(account=alice).first()
    assert day is not None
    LedgerDay.objects.filter(pk=day.pk).update(charge=0)

    @contextmanager
    def once_written() -> Iterator[Books]:
        LedgerDay.objects.filter(pk=day.pk).update(charge=day.charge)
        with locked_books() as locked:
            yield locked

    monkeypatch.setattr("billing.services.reconcile.locked_books", once_written)
    assert reconcile().is_well
