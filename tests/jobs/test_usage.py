"""How far records of usage can be read without missing one that is still being written."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from common.sql import fetch_one
from jobs.models import UsageRecord
from jobs.services.usage import usage_horizon
from tests.settings import ON_POSTGRES
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _rows(core_types: None, base_environment: Any) -> None:
    """Outside of a transaction, as in life: a horizon is about what others have committed."""


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    """Threads with connections of their own."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


def add_usage(account: Any, jid: int) -> int:
    record = UsageRecord.objects.create(
        account=account, jid=jid, batch_id=1, attempt=1, core_type_id="c1", cores=1, price_micros=50_000,
        started_at=timezone.now(), run_ms=1000,
    )  # fmt: skip
    return record.pk


def test_without_usage_it_is_zero() -> None:
    assert usage_horizon() == 0


def test_it_is_the_newest_record_and_never_behind_the_cursor(alice: Any) -> None:
    newest = [add_usage(alice, jid) for jid in (1, 2)][-1]
    assert usage_horizon() == newest
    assert usage_horizon(after=newest - 1) == newest
    assert usage_horizon(after=newest) == newest
    # After a restore from a backup a cursor may be ahead; it is not turned back.
    assert usage_horizon(after=newest + 5) == newest + 5


def test_what_is_not_committed_is_not_below_it(alice: Any, others: ThreadPoolExecutor) -> None:
    first = add_usage(alice, 1)
    written, leave = Event(), Event()

    def write_and_think_better() -> None:
        with transaction.atomic():
            add_usage(alice, 2)
            written.set()
            leave.wait(10)
            transaction.set_rollback(True)
        connection.close()

    writing = others.submit(write_and_think_better)
    assert written.wait(10)
    # It has the highest id, and nobody but its writer can see it.
    assert usage_horizon(after=first) == first
    leave.set()
    writing.result()
    assert usage_horizon() == first


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has one writer at a time")
def test_it_waits_for_a_record_below_the_newest_one(alice: Any, others: ThreadPoolExecutor) -> None:
    written, leave = Event(), Event()

    def write_slowly() -> int:
        with transaction.atomic():
            pk = add_usage(alice, 1)
            written.set()
            leave.wait(10)
        connection.close()
        return pk

    def ask() -> tuple[int, int]:
        found = usage_horizon(), UsageRecord.objects.count()
        connection.close()
        return found

    slow = others.submit(write_slowly)
    assert written.wait(10)
    newest = add_usage(alice, 2)
    asked = others.submit(ask)
    wait_until(_somebody_waits_for_the_lock)
    assert not asked.done()
    leave.set()
    assert slow.result() < newest
    assert asked.result(10) == (newest, 2)


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite takes no locks on tables")
def test_it_gives_up_aloud_when_the_table_is_held(
    alice: Any, others: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.usage.LONGEST_WAIT_MS", 50)
    add_usage(alice, 1)
    held, leave = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            add_usage(alice, 2)
            held.set()
            leave.wait(10)
        connection.close()

    holding = others.submit(hold)
    assert held.wait(10)
    with pytest.raises(OperationalError, match="lock timeout"):
        usage_horizon()
    leave.set()
    holding.result()
    assert usage_horizon() == UsageRecord.objects.latest("id").pk


def _somebody_waits_for_the_lock() -> bool:
    row = fetch_one("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'", [])
    return bool(row and row[0])
