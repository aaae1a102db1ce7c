"""What holds of every decision, whatever the snapshot."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from realtime.capacity.autoscaler import decide
from realtime.capacity.snapshot import Decision, Floor, Machine, Rules, Snapshot, Work
from tests.realtime.slow_machines import patient

TYPES = ("c1", "c2")
SECONDS = st.floats(0, 200_000)

works = st.builds(
    Work,
    account=st.integers(1, 3),
    core_type=st.sampled_from(TYPES),
    cores=st.sampled_from([1, 2, 4, 8]),
    count=st.integers(1, 500),
    seconds=SECONDS,
)


@st.composite
def some_machines(draw: Any) -> list[Machine]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        slots = draw(st.sampled_from([1, 2, 8]))
        state = draw(st.sampled_from(["booting", "ready", "draining"]))
        found.append(
            Machine(
                name=f"m{number}",
                core_types=draw(st.sampled_from([("c1",), ("c2",), TYPES])),
                slots=slots,
                state=state,
                busy=draw(st.integers(0, slots)) if state != "booting" else 0,
                paid_for=draw(st.floats(0, 3600)),
                idle_for=draw(st.floats(0, 7200)),
                boot_left=draw(st.floats(0, 240)) if state == "booting" else 0.0,
                is_own=draw(st.booleans()),
            )
        )
    return found


rules = st.builds(Rules, increment=st.sampled_from([60.0, 3600.0]), max_machines=st.integers(0, 40))


@st.composite
def snapshots(draw: Any) -> Snapshot:
    return Snapshot(
        core_types=TYPES,
        queued=draw(st.lists(works, max_size=6)),
        running=[dataclasses.replace(work, is_running=True) for work in draw(st.lists(works, max_size=3))],
        expected={code: draw(st.lists(st.floats(0, 50), max_size=14)) for code in TYPES},
        reserved=draw(
            st.lists(
                st.builds(Floor, account=st.integers(1, 3), core_type=st.sampled_from(TYPES), cores=st.integers(1, 20)),
                max_size=3,
            )
        ),
        machines=draw(some_machines()),
        shapes={code: draw(st.sampled_from([0, 1, 4, 16])) for code in TYPES},
        rules=draw(rules),
    )


def after(snapshot: Snapshot, decision: Decision) -> Snapshot:
    """The same a moment later, when the decision has been carried out."""
    drained = {name for plan in decision.plans for name in plan.drain}
    machines = [
        dataclasses.replace(machine, state="draining") if machine.name in drained else machine
        for machine in snapshot.machines
    ]
    machines += [
        Machine(
            name=f"new-{plan.core_type}-{number}",
            core_types=(plan.core_type,),
            slots=snapshot.shapes[plan.core_type],
            state="booting",
            paid_for=snapshot.rules.increment,
            boot_left=snapshot.rules.boot_seconds,
        )
        for plan in decision.plans
        for number in range(plan.launch)
    ]
    return dataclasses.replace(snapshot, machines=machines)


@patient
@given(snapshots())
def test_running_work_is_never_taken_its_machine(snapshot: Snapshot) -> None:
    by_name = {machine.name: machine for machine in snapshot.machines}
    for plan in decide(snapshot).plans:
        for name in plan.drain:
            machine = by_name[name]
            assert not machine.busy
            assert not machine.is_own
            assert machine.state == "ready"
            assert machine.core_types == (plan.core_type,)


@patient
@given(snapshots())
def test_limits_hold(snapshot: Snapshot) -> None:
    decision = decide(snapshot)
    rented = sum(not machine.is_own for machine in snapshot.machines)
    started = sum(plan.launch for plan in decision.plans)
    assert started == 0 or rented + started <= snapshot.rules.max_machines
    assert all(plan.launch == 0 for plan in decision.plans if not snapshot.shapes[plan.core_type])


@patient
@given(snapshots())
def test_decisions_that_are_carried_out_come_to_rest(snapshot: Snapshot) -> None:
    # A machine of several types may go to another of them when the first has its own, and a limit holds again.
    for _ in TYPES:
        snapshot = after(snapshot, decide(snapshot))
    for plan in decide(snapshot).plans:
        assert not plan.is_act


@patient
@given(snapshots())
def test_nothing_is_given_back_that_would_be_started_again(snapshot: Snapshot) -> None:
    for plan in decide(snapshot).plans:
        assert plan.wanted <= plan.keep
        assert not (plan.launch and plan.drain)


@patient
@given(snapshots(), works)
def test_more_work_never_wants_fewer_cores(snapshot: Snapshot, work: Work) -> None:
    more = dataclasses.replace(snapshot, queued=[*snapshot.queued, work])
    for before, later in zip(decide(snapshot).plans, decide(more).plans, strict=True):
        assert later.wanted >= before.wanted


@patient
@given(snapshots())
def test_no_more_cores_than_could_be_busy(snapshot: Snapshot) -> None:
    for plan in decide(snapshot).plans:
        jobs = [work for work in (*snapshot.queued, *snapshot.running) if work.core_type == plan.core_type]
        at_once = sum(work.count * work.cores for work in jobs)
        expected = max(snapshot.expected[plan.core_type], default=0.0)
        assert plan.wanted <= at_once + expected + 1 + plan.reserved
        assert plan.wanted >= plan.reserved


@patient
@given(snapshots())
def test_reasons_are_sentences(snapshot: Snapshot) -> None:
    for plan in decide(snapshot).plans:
        assert plan.reasons
        for sentence in plan.reasons:
            assert sentence[0].isupper() or sentence[0].isdigit()
            assert sentence.endswith(".")
            assert "  " not in sentence
