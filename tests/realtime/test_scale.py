"""The clock decides how many machines there are, writes down why, and starts and gives back machines."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Dedication, Job
from realtime.models import Decision, Host, Reservation
from realtime.providers import current_provider
from realtime.selectors.snapshot import IdleWatch, take_snapshot
from realtime.services.foresee import Foresight
from realtime.services.learn import learn
from realtime.services.scale import forget_decisions, scale
from tests.realtime.rack import Rack
from tests.submitting import claim, run_all, submit

pytestmark = pytest.mark.usefixtures("base_environment")


@pytest.fixture(autouse=True)
def _rack(settings: Any) -> Iterator[None]:
    Rack.reset()
    settings.PROVIDER = "tests.realtime.rack.Rack"
    current_provider.cache_clear()
    yield
    current_provider.cache_clear()


def decide(watch: IdleWatch | None = None, **fields: Any) -> dict[str, Decision]:
    """What was written down, by core type."""
    return {
        decision.core_type_id: decision
        for decision in scale(watch=watch or IdleWatch(), foresight=Foresight(), **fields)
    }


def known(account: Any, *, seconds: float = 3600) -> None:
    """A run of the function is known to take so long."""
    submit(account)
    run_all(account, run_ms=int(seconds * 1000))
    learn()


def make_host(name: str = "m1", *, age: float = 0.0, state: str = "ready", **fields: Any) -> Host:
    values = {"provider": "rack", "reference": f"i-{name}", "core_types": "c1", "slots": 4}
    launched_at = timezone.now() - timedelta(seconds=age)
    return Host.objects.create(name=name, state=state, launched_at=launched_at, **(values | fields))


def test_backlog_starts_machines_and_the_reasons_are_kept(alice: Any) -> None:
    known(alice)
    submit(alice, count=10)
    decision = decide()["c1"]
    assert (decision.wanted, decision.queued, decision.launch, decision.started) == (10, 10, 3, 3)
    assert any("10 queued jobs and what runs have 10 h 00 m of work left" in reason for reason in decision.reasons)
    assert Host.objects.filter(state="booting", core_types="c1").count() == 3
    # What boots is not asked for again.
    assert "c1" not in decide()


def test_what_the_provider_does_not_give_is_told(alice: Any) -> None:
    known(alice)
    submit(alice, count=10)
    Rack.room = 1
    decision = decide()["c1"]
    assert (decision.launch, decision.started) == (3, 1)
    assert decision.problem == "The rack has room for 1 machines."
    Rack.room = 2
    assert decide()["c1"].started == 1


def test_a_provider_that_is_down_ends_nothing(alice: Any) -> None:
    submit(alice)
    Rack.is_down = True
    assert decide()["c1"].problem == "The rack is without power."


def test_limit_of_machines(alice: Any, settings: Any) -> None:
    settings.MAX_HOSTS = 2
    known(alice)
    submit(alice, count=40)
    assert decide()["c1"].started == 2


def test_running_jobs_count_on_their_hosts(alice: Any) -> None:
    known(alice)
    make_host()
    submit(alice, count=2)
    found = claim(alice, worker="m1:8000:0")
    assert found
    snapshot = take_snapshot(watch=IdleWatch(), expected={}, now=timezone.now())
    assert [machine.busy for machine in snapshot.machines] == [1]
    assert (snapshot.queued[0].count, snapshot.running[0].count) == (1, 1)
    assert snapshot.running[0].seconds == pytest.approx(3600, abs=5)


def test_jobs_that_are_alike_are_one_group(alice: Any, bob: Any) -> None:
    for _ in range(3):
        submit(alice, count=2)
    submit(bob)
    snapshot = take_snapshot(watch=IdleWatch(), expected={}, now=timezone.now())
    assert sorted(work.count for work in snapshot.queued) == [1, 6]


def test_an_idle_machine_is_given_back_at_the_end_of_its_hour() -> None:
    host = make_host(age=3400)
    watch, now = IdleWatch(), timezone.now()
    # Just become idle, as far as anybody has seen: it is kept for a while.
    assert decide(watch, now=now)["c1"].drain == 0
    assert decide(watch, now=now + timedelta(minutes=30)) != {}
    decision = decide(watch, now=now + timedelta(seconds=3600))["c1"]
    assert decision.drain == 1
    host.refresh_from_db()
    assert host.state == "draining"


def test_a_busy_machine_is_kept(alice: Any) -> None:
    host = make_host(age=3500)
    submit(alice)
    assert claim(alice, worker="m1:8000:0")
    watch, now = IdleWatch(), timezone.now()
    for seconds in (0, 60, 3600):
        assert all(not decision.drain for decision in decide(watch, now=now + timedelta(seconds=seconds)).values())
    host.refresh_from_db()
    assert host.state == "ready"


def test_machines_of_your_own_stay(alice: Any) -> None:
    host = make_host(age=3500, provider="local", reference="")
    watch, now = IdleWatch(), timezone.now()
    for seconds in (0, 400, 3600):
        decide(watch, now=now + timedelta(seconds=seconds))
    host.refresh_from_db()
    assert host.state == "ready"


def test_reserved_cores_are_started_and_kept(alice: Any) -> None:
    now = timezone.now()
    Reservation.objects.create(account=alice, number=1, core_type_id="c1", cores=6, starts_at=now, price_micros=15_000)
    later = now + timedelta(hours=2)
    Reservation.objects.create(account=alice, number=2, core_type_id="c2", cores=6, starts_at=later, price_micros=1)
    decisions = decide()
    assert (decisions["c1"].wanted, decisions["c1"].reserved, decisions["c1"].started) == (6, 6, 2)
    assert decisions["c2"].wanted == 0


def test_a_machine_whose_cores_are_reserved_is_kept(alice: Any) -> None:
    make_host(age=3500)
    Dedication.objects.create(worker="m1:8000:0", account=alice, core_type_id="c1")
    watch, now = IdleWatch(), timezone.now()
    for seconds in (0, 3500):
        assert all(not decision.drain for decision in decide(watch, now=now + timedelta(seconds=seconds)).values())


def test_without_a_provider_it_says_so(alice: Any, settings: Any) -> None:
    settings.PROVIDER = "local"
    current_provider.cache_clear()
    make_host(provider="local", reference="", core_types="c1,c2", slots=2)
    known(alice)
    submit(alice, count=10)
    decision = decide()["c1"]
    assert (decision.wanted, decision.ready, decision.launch) == (10, 2, 0)
    assert any("no machine can be rented for c1" in reason for reason in decision.reasons)


def test_only_news_is_written_down() -> None:
    now = timezone.now()
    assert set(decide(now=now)) == {"c1", "c2", "f2", "m1", "s1"}
    assert decide(now=now + timedelta(minutes=5)) == {}
    assert set(decide(now=now + timedelta(minutes=11))) == {"c1", "c2", "f2", "m1", "s1"}


def test_time_to_boot_is_learned(alice: Any) -> None:
    joined = timezone.now()
    make_host(age=100, joined_at=joined)
    # A clock that was set back.
    make_host("m2", age=0, joined_at=joined - timedelta(hours=1))
    rules = take_snapshot(watch=IdleWatch(), expected={}, now=timezone.now()).rules
    assert rules.boot_seconds == pytest.approx(100, abs=2)


def test_old_decisions_are_forgotten() -> None:
    decide()
    assert forget_decisions() == 0
    assert forget_decisions(timezone.now() + timedelta(days=31)) == 5


def test_a_batch_deleted_meanwhile_does_no_harm(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(alice)
    monkeypatch.setattr("realtime.selectors.backlog.likeness_of", lambda _ids: {})
    assert Job.objects.count() == 1
    assert decide()["c1"].queued == 0
