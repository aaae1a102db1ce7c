"""What reserved cores add to a bill, by both rules, to the cent."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from billing.models import Kind, LedgerEntry, SettledReservation
from billing.selectors.months import cut_by, total_of
from billing.services.reservations import post_reserved_hours
from billing.services.usage import post_usage
from jobs.models import Job, UsageRecord
from jobs.states import Status
from realtime.models import Reservation
from realtime.states import State
from tests.billing.using import MARCH, NOON, charged, use

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000


def reserve(
    account: Any,
    *,
    cores: int = 10,
    price: str = "0.015",
    ready: datetime = NOON,
    hours: float | None = 1,
    core_type: str = "c1",
) -> Reservation:
    """Cores that were ready at a time and released after so many hours; None while they are kept."""
    return Reservation.objects.create(
        account=account,
        number=Reservation.objects.filter(account=account).count() + 1,
        core_type_id=core_type,
        cores=cores,
        state=State.ACTIVE if hours is None else State.ENDED,
        starts_at=ready,
        ready_at=ready,
        ended_at=None if hours is None else ready + hours * HOUR,
        price_micros=int(Decimal(price) * 1_000_000),
    )


def bill(account: Any) -> Decimal:
    """Dollars in all, after the clock has been there."""
    post_usage()
    post_reserved_hours()
    return charged(account)


def test_ten_reserved_cores_and_a_compute_hour_by_minimum(alice: Any) -> None:
    reserve(alice)
    use(alice, HOUR_MS)
    assert bill(alice) == Decimal("0.15")


def test_ten_reserved_cores_and_a_compute_hour_by_fee(alice: Any, settings: Any) -> None:
    settings.REALTIME_RULE = "fee"
    reserve(alice)
    use(alice, HOUR_MS)
    assert bill(alice) == Decimal("0.20")


@pytest.mark.parametrize(("used", "costs"), [("0", "0.10"), ("0.05", "0.10"), ("0.15", "0.15")])
def test_an_hour_costs_the_greater_of_minimum_and_usage(alice: Any, used: str, costs: str) -> None:
    reserve(alice, cores=10, price="0.01")
    # c1 costs $0.05 an hour: three of them at once are $0.15.
    for _ in range(int(Decimal(used) / Decimal("0.05"))):
        use(alice, HOUR_MS)
    assert bill(alice) == Decimal(costs)


def test_a_started_hour_is_a_whole_one(alice: Any) -> None:
    reserve(alice, hours=1.001)
    reserve(alice, hours=0.001, ready=NOON + timedelta(days=1))
    assert bill(alice) == 3 * Decimal("0.15")


def test_usage_of_another_type_or_account_does_not_count(alice: Any, bob: Any) -> None:
    reserve(alice)
    use(alice, HOUR_MS, core_type="c2")
    use(bob, HOUR_MS)
    assert bill(alice) == Decimal("0.15") + Decimal("0.125")


def test_usage_counts_against_one_of_two_reservations_only(alice: Any) -> None:
    reserve(alice)
    reserve(alice)
    use(alice, *[HOUR_MS] * 3)
    assert bill(alice) == Decimal("0.30")


def test_each_hour_is_charged_once_and_then_settled(alice: Any) -> None:
    row = reserve(alice, hours=3)
    assert [post_reserved_hours(), post_reserved_hours()] == [3, 0]
    assert SettledReservation.objects.get().reservation == row
    assert [f"{line.at:%H}" for line in LedgerEntry.objects.order_by("at")] == ["12", "13", "14"]
    line = LedgerEntry.objects.latest("-at")
    assert (line.kind, line.reservation, line.cores, line.note) == (
        Kind.RESERVATION, row.number, 10, "Reserved from 12:00: $0.15 an hour, $0.00 used.",
    )  # fmt: skip


def test_hours_of_cores_that_are_kept_come_as_they_end(alice: Any) -> None:
    reserve(alice, hours=None, ready=timezone.now() - timedelta(hours=2, minutes=30))
    assert post_reserved_hours() == 2
    assert not SettledReservation.objects.exists()


def test_an_hour_waits_for_the_runs_that_fall_into_it(alice: Any) -> None:
    ready = timezone.now() - timedelta(hours=2, minutes=30)
    reserve(alice, hours=2, ready=ready)
    batch = use(alice, HOUR_MS, at=ready)
    Job.objects.filter(batch=batch).update(
        status=Status.PROCESSING, started_at=ready + timedelta(minutes=90), price_micros=50_000
    )
    assert post_reserved_hours() == 1
    with CaptureQueriesContext(connection) as queries:
        assert post_reserved_hours() == 0
    # The hour that waits is not computed again and again.
    assert not any("jobs_usagerecord" in query["sql"] for query in queries)
    Job.objects.filter(batch=batch).update(status=Status.DONE)
    assert post_reserved_hours() == 1


def test_hours_that_are_not_over_cost_nothing_yet(alice: Any) -> None:
    reserve(alice, hours=None, ready=timezone.now() - timedelta(minutes=59))
    reserve(alice, hours=0.1, ready=timezone.now() - timedelta(minutes=30))
    assert post_reserved_hours() == 0


def test_a_reservation_that_was_never_ready_costs_nothing(alice: Any) -> None:
    row = reserve(alice)
    Reservation.objects.filter(pk=row.pk).update(ready_at=None)
    assert post_reserved_hours() == 0


def test_a_price_that_changes_holds_for_later_requests(alice: Any) -> None:
    reserve(alice, price="0.015")
    reserve(alice, price="0.02", ready=NOON + HOUR)
    assert bill(alice) == Decimal("0.15") + Decimal("0.20")


def test_a_clock_that_was_set_back_pays_an_hour(alice: Any) -> None:
    reserve(alice, hours=-0.5)
    assert bill(alice) == Decimal("0.15")


def test_the_bill_names_the_reservation(alice: Any, alice_client: Any) -> None:
    reserve(alice)
    bill(alice)
    (line,) = cut_by(alice, MARCH, "reservation").lines
    assert (line.name, line.amount) == (1, Decimal("0.15"))
    page = alice_client.get("/billing/?month=2026-03").content.decode()
    assert "By reservation" in page
    assert "Reserved cores" in page
    assert 'href="/realtime/1/"' in page
    assert "kind=reservation&amp;reservation=1" in page
    assert "Reserved from 12:00" in alice_client.get(
        "/billing/entries/?month=2026-03&kind=reservation&reservation=1"
    ).content.decode()  # fmt: skip


moments = st.integers(0, 6 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
reservations = st.lists(st.tuples(moments, st.floats(0.01, 4), st.integers(1, 20)), min_size=1, max_size=4)
runs = st.lists(st.tuples(moments, st.integers(0, 3 * HOUR_MS), st.integers(1, 8)), max_size=6)


@settings(max_examples=25, deadline=None)
@given(reserved=reservations, ran=runs)
@pytest.mark.usefixtures("db")
def test_whatever_overlaps_an_hour_costs_its_minimum_at_least_and_no_run_counts_twice(reserved: Any, ran: Any) -> None:
    # An account for each example, because posting cannot be taken back.
    account = User.objects.create_user(uuid.uuid4().hex)
    for ready, hours, cores in reserved:
        reserve(account, ready=ready, hours=hours, cores=cores)
    for at, length, price in ran:
        use(account, length, at=at, price_micros=price * 10_000)
    post_usage()
    post_reserved_hours()
    usage = sum(row.run_ms * row.cores * row.price_micros for row in UsageRecord.objects.filter(account=account))
    lines = LedgerEntry.objects.filter(account=account)
    minimum = sum(HOUR_MS * line.cores * line.price_micros for line in lines.filter(kind=Kind.RESERVATION))
    in_all = total_of(account, MARCH).charge
    assert max(usage, minimum) <= in_all <= usage + minimum
    assert in_all == sum(line.charge for line in lines)
    assert SettledReservation.objects.filter(reservation__account=account).count() == len(reserved)


@settings(max_examples=15, deadline=None)
@given(reserved=reservations, ran=runs)
# The first run pays an hour that is charged before the one that the second run counts for.
@example(
    reserved=[(NOON, 1, 1), (NOON + HOUR / 2, 1, 1)],
    ran=[(NOON, 30_000, 180), (NOON + 2 * HOUR / 3, 30_000, 60)],
)
@pytest.mark.usefixtures("db")
def test_hours_cost_the_same_one_by_one_and_all_at_once(reserved: Any, ran: Any) -> None:
    found = []
    for moments_of_clock in ([12 * 60], range(0, 12 * 60 + 1, 40)):
        account = User.objects.create_user(uuid.uuid4().hex)
        for ready, hours, cores in reserved:
            reserve(account, ready=ready, hours=hours, cores=cores)
        for at, length, price in ran:
            use(account, length, at=at, price_micros=price * 10_000)
        for minutes in moments_of_clock:
            clock = SimpleNamespace(now=lambda now=NOON + timedelta(minutes=minutes): now)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("billing.services.reservations.timezone", clock)
                post_reserved_hours()
        lines = LedgerEntry.objects.filter(account=account).order_by("reservation", "note", "charge")
        found.append(list(lines.values_list("reservation", "at", "charge", "note")))
    assert found[0] == found[1]
