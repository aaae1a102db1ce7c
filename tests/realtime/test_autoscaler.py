"""What the autoscaler decides, and why, by examples."""

from typing import Any

import pytest

from realtime.capacity.autoscaler import decide
from realtime.capacity.snapshot import Machine, Plan
from tests.realtime.capacity import HOUR, machine, machines, queued, reserved, running, snapshot


def plan(core_type: str = "c1", **fields: Any) -> Plan:
    return decide(snapshot(**fields)).plan(core_type)


def why(found: Plan) -> str:
    return " ".join(found.reasons)


@pytest.mark.parametrize(
    ("count", "seconds", "increment", "cores"),
    [
        (100, HOUR, HOUR, 100),
        (100, HOUR / 2, HOUR, 50),
        (100, 2 * HOUR, HOUR, 100),  # no more cores than jobs
        (100, 36, HOUR, 1),
        (1, 0.01, HOUR, 1),
        (100, HOUR / 2, 60, 100),
        (100, 24, 60, 10),  # as long as a machine takes to start, if that is longer
    ],
)
def test_each_rented_core_is_busy_for_an_increment(count: int, seconds: float, increment: float, cores: int) -> None:
    found = plan(queued=[queued(count, seconds)], rules={"increment": increment})
    assert (found.wanted, found.launch) == (cores, cores)


def test_one_long_job_does_not_rent_cores_for_short_ones() -> None:
    assert plan(queued=[queued(1, 100 * HOUR), queued(100, 36)]).wanted == 2


def test_nothing_to_do_is_said() -> None:
    found = plan()
    assert not found.is_act
    assert found.reasons == ("Nothing is queued or running.", "0 cores are there; none is wanted.")


def test_what_is_there_or_boots_is_not_started_again() -> None:
    there = [*machines(30), *machines(20, state="booting", boot_left=100)]
    found = plan(queued=[queued(100, HOUR)], machines=there)
    assert (found.ready, found.booting, found.launch) == (30, 20, 50)
    assert "30 cores are there, 20 more are booting and ready in about 1 m 40 s; 100 are wanted." in found.reasons


def test_a_machine_has_several_cores() -> None:
    found = plan(queued=[queued(100, HOUR)], shapes={"c1": 8})
    assert found.launch == 13
    assert "13 machines are started, of 8 cores each." in found.reasons


def test_what_the_cores_there_finish_meanwhile_starts_nothing() -> None:
    # Two cores do 480 s of work in the four minutes that a third would take to start.
    assert plan(queued=[queued(1000, 0.48)], machines=machines(2), rules={"increment": 60}).launch == 0
    assert plan(queued=[queued(1000, 0.5)], machines=machines(2), rules={"increment": 60}).launch == 1


def test_running_work_that_is_over_soon_starts_nothing() -> None:
    assert plan(running=[running(10, 200)]).wanted == 0
    assert plan(running=[running(10, HOUR + 240)]).wanted == 10


def test_a_job_needs_its_cores_on_one_machine() -> None:
    found = plan(queued=[queued(1, 10, cores=8)], shapes={"c1": 8})
    assert (found.wanted, found.launch) == (8, 1)


def test_a_job_that_no_machine_can_hold_starts_nothing() -> None:
    found = plan(queued=[queued(5, HOUR, cores=16)], shapes={"c1": 8})
    assert (found.wanted, found.launch) == (0, 0)
    assert "A job asks for 16 cores at once, and a machine for c1 has 8" in why(found)


def test_types_are_decided_apart() -> None:
    found = decide(snapshot(queued=[queued(3, HOUR), queued(5, HOUR, core_type="c2")]))
    assert [(one.core_type, one.launch) for one in found.plans] == [("c1", 3), ("c2", 5)]


# -- limits ------------------------------------------------------------------------------------


def test_limit_is_kept_and_told() -> None:
    found = plan(queued=[queued(100, HOUR)], machines=machines(4), rules={"max_machines": 10})
    assert found.launch == 6
    assert "90 machines more would be started, but the limit is 10 machines." in found.reasons


def test_machines_that_are_given_back_count_until_they_are_gone() -> None:
    found = plan(queued=[queued(9, HOUR)], machines=machines(4, state="draining"), rules={"max_machines": 10})
    assert (found.ready, found.launch) == (0, 6)


def test_what_is_reserved_comes_first() -> None:
    both = snapshot(queued=[queued(100, HOUR)], reserved=[reserved(5, core_type="c2")], rules={"max_machines": 8})
    assert [(one.core_type, one.launch) for one in decide(both).plans] == [("c1", 3), ("c2", 5)]


def test_own_machines_are_all_there_is_without_a_provider() -> None:
    own = Machine(name="here", core_types=("c1", "c2"), slots=2, state="ready", is_own=True)
    found = plan(queued=[queued(40, HOUR)], machines=[own], shapes={})
    assert (found.ready, found.wanted, found.launch) == (2, 40, 0)
    assert "38 cores more would be busy, and no machine can be rented for c1" in why(found)


def test_a_machine_of_several_types_is_counted_once() -> None:
    own = Machine(name="here", core_types=("c1", "c2"), slots=4, state="ready", is_own=True)
    work = [queued(3, HOUR), queued(3, HOUR, core_type="c2")]
    found = decide(snapshot(queued=work, machines=[own]))
    assert sum(one.ready for one in found.plans) == 4
    assert sum(one.launch for one in found.plans) == 2


# -- reservations ------------------------------------------------------------------------------


def test_reserved_cores_are_a_floor() -> None:
    found = plan(reserved=[reserved(10)], machines=machines(4))
    assert (found.wanted, found.reserved, found.launch) == (10, 10, 6)
    assert "10 cores are reserved." in found.reasons


def test_an_accounts_own_backlog_runs_on_its_reserved_cores_too() -> None:
    assert plan(reserved=[reserved(80)], queued=[queued(200, HOUR)]).wanted == 200
    assert plan(reserved=[reserved(80)], queued=[queued(200, HOUR, account=2)]).wanted == 280


# -- load to come ------------------------------------------------------------------------------


def test_load_that_comes_is_prepared_for_when_a_machine_takes_as_long_to_boot() -> None:
    # In 20 minutes a hundred jobs of an hour begin.
    later = [0.0] * 4 + [100.0] * 12
    assert plan(expected={"c1": later}).launch == 0
    assert plan(expected={"c1": later[4:]}).launch == 100


def test_a_burst_of_short_work_rents_what_is_busy_for_an_increment() -> None:
    # A hundred jobs of 9 s at once keep 3 cores busy for 5 minutes, and a quarter of one for an hour.
    assert plan(expected={"c1": [3.0] + [0.0] * 12}).launch == 1


def test_steady_load_has_its_cores_before_it_waits() -> None:
    assert plan(expected={"c1": [50.0] * 13}).launch == 50


# -- giving back -------------------------------------------------------------------------------


def test_idle_machines_go_near_the_end_of_what_is_paid() -> None:
    there = [machine("early", paid_for=100), machine("soon", paid_for=50), machine("later", paid_for=2000)]
    assert plan(machines=there).drain == ("soon", "early")


@pytest.mark.parametrize(
    "fields",
    [
        {"paid_for": 301},
        {"paid_for": 10, "busy": 1},
        {"paid_for": 10, "state": "booting"},
        {"paid_for": 10, "state": "draining"},
        {"paid_for": 10, "is_own": True},
        {"paid_for": 10, "is_reserved": True},
        {"paid_for": 10, "idle_for": 100},
    ],
)
def test_other_machines_stay(fields: dict[str, Any]) -> None:
    assert plan(machines=[machine(**fields)]).drain == ()


def test_what_is_expected_soon_keeps_machines() -> None:
    there = machines(10, paid_for=50)
    # Nothing for a while, then twelve cores for half of the hour: worth as much as six for all of it.
    found = plan(machines=there, expected={"c1": [0.0] * 6 + [12.0] * 6})
    assert (found.launch, len(found.drain)) == (0, 4)


def test_a_machine_of_many_cores_goes_only_whole() -> None:
    there = machines(2, slots=8, paid_for=50)
    assert len(plan(machines=there, queued=[queued(9, HOUR)]).drain) == 0
    assert len(plan(machines=there, queued=[queued(8, HOUR)]).drain) == 1
    assert "1 idle machine is given back" in why(plan(machines=there, queued=[queued(8, HOUR)]))
