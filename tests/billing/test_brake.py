"""The brake on API keys that run away."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from billing.models import Brake, KeyHour, LedgerEntry
from billing.services.brake import check_keys, lift_brake, read_ledger
from billing.services.notices import send_notices
from billing.services.usage import post_usage
from common.exceptions import NotFound
from jobs.models import Hold, Job
from tests.billing.using import use
from tests.submitting import Api, claim

HOUR_MS = 3_600_000  # of c1: five cents


@pytest.fixture
def api(alice: Any) -> Api:
    return Api(alice)


def usually(user: Any, key: int, *, hours: int = 30, run_ms: int = HOUR_MS) -> None:
    """Let a key use so much in each of many hours."""
    for n in range(2, hours + 2):
        use(user, run_ms, at=timezone.now() - timedelta(hours=n), api_key=key)
    post_usage()


def suddenly(user: Any, key: int, *, runs: int) -> None:
    """Let a key use so many core-hours now."""
    use(user, *[HOUR_MS] * runs, at=timezone.now() - timedelta(minutes=1), api_key=key)
    post_usage()


def test_many_times_the_usual_is_braked_and_mailed(alice: Any, api: Api, operator: Any) -> None:
    operator.email = "olga@example.org"
    operator.save()
    usually(alice, api.key.pk)
    suddenly(alice, api.key.pk, runs=30)
    for _ in range(2):
        check_keys()
        send_notices()
    api.submit()
    assert Job.objects.filter(status="waiting", reason="brake").count() == 1
    assert sorted(message.to[0] for message in mail.outbox) == ["alice@example.org", "olga@example.org"]
    assert "used $1.50 within an hour; usually it is $0.05" in Hold.objects.get().sentence


def test_other_keys_go_on(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk)
    suddenly(alice, api.key.pk, runs=30)
    check_keys()
    Api(alice).submit()
    assert Job.objects.filter(status="queued").count() == 1


@pytest.mark.parametrize(
    "how",
    [(30, 15, 20), (10, 100, 20), (30, 100, 0)],
    ids=["below the factor", "not known for long", "switched off"],
)
def test_what_is_not_unusual_goes_on(alice: Any, api: Api, settings: Any, how: tuple[int, int, int]) -> None:
    hours, runs, settings.RUNAWAY_FACTOR = how
    usually(alice, api.key.pk, hours=hours)
    suddenly(alice, api.key.pk, runs=runs)
    check_keys()
    assert Brake.objects.count() == 0


def test_little_money_is_never_braked(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk, run_ms=1000)
    suddenly(alice, api.key.pk, runs=15)
    check_keys()
    assert Brake.objects.count() == 0


def test_long_run_counts_with_an_hour(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk)
    use(alice, 100 * HOUR_MS, at=timezone.now() - timedelta(minutes=1), api_key=api.key.pk)
    post_usage()
    check_keys()
    assert Brake.objects.count() == 0


def test_what_runs_counts(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk, run_ms=HOUR_MS // 10)
    for n in range(40):
        api.submit()
        assert claim(alice, worker=f"w{n}") is not None
    Job.objects.filter(status="processing").update(started_at=timezone.now() - timedelta(hours=3))
    check_keys()
    assert Brake.objects.count() == 1


def test_ledger_is_read_once(alice: Any, api: Api) -> None:
    suddenly(alice, api.key.pk, runs=3)
    check_keys()
    before = KeyHour.objects.get(api_key=api.key.pk).charge
    check_keys()
    suddenly(alice, api.key.pk, runs=3)
    check_keys()
    assert sum(KeyHour.objects.filter(api_key=api.key.pk).values_list("charge", flat=True)) == 2 * before


def test_lifted_brake_stays_off_for_a_day(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk)
    suddenly(alice, api.key.pk, runs=30)
    check_keys()
    api.submit()
    lift_brake(number=Brake.objects.get().pk, by=alice)
    check_keys()
    assert (Job.objects.filter(status="queued").count(), Hold.objects.count()) == (1, 0)
    suddenly(alice, api.key.pk, runs=30)
    check_keys()
    assert Hold.objects.count() == 0


def test_operator_lifts_it_too_and_a_stranger_does_not(alice: Any, api: Api, operator: Any, charlie: Any) -> None:
    usually(alice, api.key.pk)
    suddenly(alice, api.key.pk, runs=30)
    check_keys()
    number = Brake.objects.get().pk
    with pytest.raises(NotFound):
        lift_brake(number=number, by=charlie)
    assert lift_brake(number=number, by=operator).lifted_by == "olga"


def test_hold_comes_back_when_it_was_lost(alice: Any, api: Api) -> None:
    usually(alice, api.key.pk)
    suddenly(alice, api.key.pk, runs=30)
    check_keys()
    Hold.objects.all().delete()
    check_keys()
    assert Hold.objects.count() == 1


def test_an_entry_is_read_once_however_old_it_is(alice: Any) -> None:
    for _ in range(3):
        use(alice, HOUR_MS, api_key=1)
        post_usage()
        read_ledger(timezone.now())
    row = KeyHour.objects.get()
    assert (row.charge, row.through) == (3 * HOUR_MS * 50_000, LedgerEntry.objects.latest("pk").pk)
