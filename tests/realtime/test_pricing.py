"""What reserved hours cost: the published numbers to the cent, and what holds whatever is reserved and used."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, combinations, pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from common.money import MS_PER_HOUR, charge_of, dollars
from realtime.pricing import Reserved, ReservedHour, Rule, Span, minimum_per_hour, reserved_hours, started_hours

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
C1, C1_RESERVED = 50_000, 15_000  # micro-dollars per core-hour
CENT = 36_000_000_000  # charge


def reserved(number: int = 1, *, start: datetime = NOON, end: datetime | None = None, cores: int = 1) -> Reserved:
    return Reserved(
        id=number, start=start, end=end, minimum_per_hour=minimum_per_hour(cores=cores, price_micros=C1_RESERVED)
    )


def run(start: datetime, length: timedelta, *, cores: int = 1, price_micros: int = C1) -> Span:
    return Span(start=start, end=start + length, charge_per_ms=cores * price_micros)


def charge_of_span(span: Span) -> int:
    return max(0, (span.end - span.start) // timedelta(milliseconds=1)) * span.charge_per_ms


def cost(hours: Sequence[ReservedHour], usage: Sequence[Span]) -> Decimal:
    """The whole bill: usage is paid in full, and the hours add what they add."""
    return dollars(sum(hour.top_up for hour in hours) + sum(map(charge_of_span, usage)))


def test_ten_cores_for_an_hour_and_one_compute_hour() -> None:
    reservation = [reserved(end=NOON + HOUR, cores=10)]
    usage = [run(NOON, HOUR)]
    by_fee = reserved_hours(reservation, usage, rule=Rule.FEE, until=NOON + 2 * HOUR)
    by_minimum = reserved_hours(reservation, usage, rule=Rule.MINIMUM, until=NOON + 2 * HOUR)
    assert cost(by_fee, usage) == Decimal("0.20")
    assert cost(by_minimum, usage) == Decimal("0.15")


def test_a_minimum_of_ten_cents() -> None:
    reservation = [Reserved(id=1, start=NOON, end=NOON + HOUR, minimum_per_hour=10 * CENT)]
    for used, whole in (("0", "0.10"), ("0.05", "0.10"), ("0.10", "0.10"), ("0.15", "0.15")):
        length = timedelta(hours=float(Decimal(used) / 3 / Decimal("0.05")))
        usage = [run(NOON, length, cores=3)]
        hours = reserved_hours(reservation, usage, rule=Rule.MINIMUM, until=NOON + HOUR)
        assert cost(hours, usage) == Decimal(whole)


def test_each_hour_is_the_greater_by_itself() -> None:
    """A busy hour does not pay for an idle one."""
    reservation = [reserved(end=NOON + 2 * HOUR, cores=10)]
    usage = [run(NOON, HOUR, cores=10)]
    hours = reserved_hours(reservation, usage, rule=Rule.MINIMUM, until=NOON + 3 * HOUR)
    assert [dollars(hour.top_up) for hour in hours] == [0, Decimal("0.15")]
    assert [dollars(hour.used) for hour in hours] == [Decimal("0.50"), 0]


def test_hours_count_from_the_moment_of_readiness_and_are_rounded_up() -> None:
    ready = NOON + timedelta(minutes=50)
    for kept, number in (
        (timedelta(0), 1),
        (timedelta(milliseconds=1), 1),
        (HOUR, 1),
        (HOUR + timedelta(milliseconds=1), 2),
        (2.5 * HOUR, 3),
    ):
        hours = reserved_hours([reserved(start=ready, end=ready + kept)], [], rule=Rule.MINIMUM, until=NOON + 10 * HOUR)
        assert [hour.start for hour in hours] == [ready + n * HOUR for n in range(number)]
        assert {dollars(hour.top_up) for hour in hours} == {Decimal("0.015")}


def test_an_hour_that_was_paid_in_full_takes_usage_to_its_end() -> None:
    """Released after ten minutes; the run of the rest of the hour counts, that of the next one does not."""
    usage = [run(NOON + timedelta(minutes=30), HOUR, cores=10)]
    reservation = [reserved(end=NOON + timedelta(minutes=10), cores=10)]
    (hour,) = reserved_hours(reservation, usage, rule=Rule.MINIMUM, until=NOON + 5 * HOUR)
    assert dollars(hour.used) == Decimal("0.25")


def test_a_run_over_two_hours_counts_in_each_for_its_part() -> None:
    usage = [run(NOON + timedelta(minutes=45), timedelta(minutes=45))]
    hours = reserved_hours([reserved()], usage, rule=Rule.MINIMUM, until=NOON + 2 * HOUR)
    assert [dollars(hour.used) for hour in hours] == [Decimal("0.0125"), Decimal("0.025")]


def test_a_price_that_changes_in_the_middle_of_a_reservation() -> None:
    """Each run has the price of its start, also in the same hour."""
    half = timedelta(minutes=30)
    usage = [run(NOON, half), run(NOON + half, half, price_micros=2 * C1)]
    (hour,) = reserved_hours([reserved(cores=10)], usage, rule=Rule.MINIMUM, until=NOON + HOUR)
    assert dollars(hour.used) == Decimal("0.075")
    assert dollars(hour.top_up) == Decimal("0.075")


def test_usage_counts_for_one_of_two_reservations_only() -> None:
    both = [reserved(1, end=NOON + HOUR), reserved(2, start=NOON + HOUR / 2, end=NOON + 1.5 * HOUR)]
    usage = [run(NOON + HOUR / 2, timedelta(minutes=18))]  # what one of them needs
    hours = reserved_hours(both, usage, rule=Rule.MINIMUM, until=NOON + 3 * HOUR)
    assert [(hour.reservation_id, dollars(hour.top_up)) for hour in hours] == [(1, 0), (2, Decimal("0.015"))]


def test_a_clock_that_was_set_back() -> None:
    """It makes no negative hour, and a run without length pays for nothing."""
    assert started_hours(start=NOON, end=NOON - HOUR) == 1
    usage = [run(NOON + HOUR / 2, -HOUR / 4), run(NOON + HOUR / 2, timedelta(0))]
    (hour,) = reserved_hours([reserved(end=NOON - HOUR)], usage, rule=Rule.MINIMUM, until=NOON + HOUR)
    assert (hour.used, dollars(hour.top_up)) == (0, Decimal("0.015"))


def test_nothing_is_owed_before_the_cores_are_ready() -> None:
    assert not reserved_hours([reserved()], [], rule=Rule.FEE, until=NOON)
    assert not reserved_hours([], [run(NOON, HOUR)], rule=Rule.FEE, until=NOON + HOUR)


# -- what holds whatever is reserved and used --------------------------------------------------------------------

MINUTES = st.integers(min_value=0, max_value=300)


@st.composite
def reservations(draw: st.DrawFn, most: int = 4) -> list[Reserved]:
    def one(number: int) -> Reserved:
        start = NOON + timedelta(minutes=draw(MINUTES))
        kept = draw(st.none() | st.integers(min_value=-30, max_value=150))
        end = None if kept is None else start + timedelta(minutes=kept)
        return reserved(number, start=start, end=end, cores=draw(st.integers(min_value=1, max_value=20)))

    return [one(number) for number in range(draw(st.integers(min_value=0, max_value=most)))]


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = NOON + timedelta(milliseconds=draw(st.integers(min_value=-MS_PER_HOUR, max_value=7 * MS_PER_HOUR)))
    length = timedelta(milliseconds=draw(st.integers(min_value=-60_000, max_value=3 * MS_PER_HOUR)))
    price = draw(st.sampled_from([C1, C1 // 2, 125_000, 0]))
    return run(start, length, cores=draw(st.integers(min_value=1, max_value=8)), price_micros=price)


USAGE = st.lists(spans(), max_size=8)
UNTIL = MINUTES.map(lambda minutes: NOON + timedelta(minutes=minutes, seconds=17))


def usage_within(usage: Sequence[Span], windows: Sequence[tuple[datetime, datetime]]) -> int:
    """The charge of the usage that falls into any of these hours, by cutting time at every edge."""
    edges = sorted({edge for window in windows for edge in window} | {e for s in usage for e in (s.start, s.end)})
    total = 0
    for begin, end in pairwise(edges):
        if any(first <= begin < last for first, last in windows):
            length = (end - begin) // timedelta(milliseconds=1)
            total += length * sum(span.charge_per_ms for span in usage if span.start <= begin and end <= span.end)
    return total


def windows_of(hours: Sequence[ReservedHour], until: datetime) -> list[tuple[datetime, datetime]]:
    return [(hour.start, min(hour.end, until)) for hour in hours]


@given(reservations(), USAGE, UNTIL)
def test_the_bill_is_never_less_than_the_usage_nor_than_the_minimum(
    kept: list[Reserved], usage: list[Span], until: datetime
) -> None:
    hours = reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until)
    for hour in hours:
        assert hour.top_up == max(0, hour.minimum - hour.used)
        assert hour.top_up + hour.used == max(hour.minimum, hour.used)


@given(reservations(), USAGE, UNTIL)
def test_each_bit_of_usage_counts_once(kept: list[Reserved], usage: list[Span], until: datetime) -> None:
    hours = reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until)
    assert sum(hour.used for hour in hours) == usage_within(usage, windows_of(hours, until))


@given(reservations(most=2), USAGE, UNTIL)
def test_no_other_way_to_count_usage_would_cost_less(kept: list[Reserved], usage: list[Span], until: datetime) -> None:
    """The most that usage can pay of the minima is the least cut between the two (Ford and Fulkerson)."""
    hours = reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until)
    if len(hours) > 7:
        return
    some = chain.from_iterable(combinations(hours, size) for size in range(len(hours) + 1))
    most = min(
        usage_within(usage, windows_of(chosen, until)) + sum(hour.minimum for hour in hours if hour not in chosen)
        for chosen in some
    )
    assert sum(hour.minimum - hour.top_up for hour in hours) == most


@given(reservations(), USAGE, UNTIL)
def test_a_fee_is_the_same_whatever_is_used(kept: list[Reserved], usage: list[Span], until: datetime) -> None:
    fees = reserved_hours(kept, usage, rule=Rule.FEE, until=until)
    minima = reserved_hours(kept, [], rule=Rule.MINIMUM, until=until)
    assert [hour.top_up for hour in fees] == [hour.minimum for hour in fees] == [hour.top_up for hour in minima]


@given(reservations(), USAGE, UNTIL, st.randoms())
def test_the_order_of_rows_does_not_matter(
    kept: list[Reserved], usage: list[Span], until: datetime, random: Random
) -> None:
    before = reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until)
    random.shuffle(usage)
    random.shuffle(kept)
    assert reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until) == before


@given(reservations(), USAGE, UNTIL, MINUTES)
def test_hours_that_are_over_never_change(
    kept: list[Reserved], usage: list[Span], until: datetime, minutes: int
) -> None:
    """So the ledger may post them once, whatever comes later. A reservation that goes on is ended later."""
    later = until + timedelta(minutes=minutes)
    over = [hour for hour in reserved_hours(kept, usage, rule=Rule.MINIMUM, until=until) if hour.end <= until]
    then = reserved_hours(kept, usage, rule=Rule.MINIMUM, until=later)
    assert [hour for hour in then if hour.end <= until] == over


@given(st.integers(min_value=1, max_value=10**9), st.integers(min_value=1, max_value=16))
def test_charges_of_runs_are_those_of_the_ledger(run_ms: int, cores: int) -> None:
    span = run(NOON, timedelta(milliseconds=run_ms), cores=cores)
    assert charge_of_span(span) == charge_of(run_ms=run_ms, cores=cores, price_micros=C1)
