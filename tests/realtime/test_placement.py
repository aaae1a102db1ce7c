"""Which workers are dedicated to whom."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.selectors.workers import Worker
from jobs.services.dispatch import Group
from realtime.placement import place

ALICE, BOB = Group(1, "c1"), Group(2, "c1")


def worker(slot: int, **fields: Any) -> Worker:
    values: dict[str, Any] = {
        "name": f"w{slot}", "host": "host", "slot": slot, "core_types": frozenset({"c1", "c2"}), "is_busy": False,
        "group": None, "warm": None, "problem": "", "drained": "",
    }  # fmt: skip
    return Worker(**(values | fields))


def test_idle_workers_first() -> None:
    workers = [worker(1, is_busy=True), worker(2), worker(3)]
    placed = place({ALICE: 1}, dedicated={}, workers=workers)
    assert (dict(placed.dedicate), placed.free) == ({ALICE: ["w2"]}, frozenset())


def test_when_all_are_busy_the_first_to_end_follows() -> None:
    workers = [worker(1, is_busy=True), worker(2, is_busy=True)]
    placed = place({ALICE: 1}, dedicated={}, workers=workers)
    assert dict(placed.dedicate) == {ALICE: ["w1", "w2"]}
    marked = {"w1": ALICE, "w2": ALICE}
    assert place({ALICE: 1}, dedicated=marked, workers=workers).dedicate == {}
    workers = [worker(1, is_busy=True), worker(2, group=ALICE)]
    assert place({ALICE: 1}, dedicated=marked, workers=workers).free == {"w1"}


def test_those_that_asked_first_are_served_first() -> None:
    placed = place({BOB: 2, ALICE: 1}, dedicated={}, workers=[worker(1), worker(2)])
    assert dict(placed.dedicate) == {BOB: ["w1", "w2"]}


def test_workers_of_others_are_left_alone() -> None:
    workers = [worker(1, group=BOB), worker(2)]
    placed = place({BOB: 1, ALICE: 2}, dedicated={"w1": BOB}, workers=workers)
    assert (dict(placed.dedicate), placed.free) == ({ALICE: ["w2"]}, frozenset())


def test_what_nobody_wants_any_more_is_freed() -> None:
    workers = [worker(1, group=ALICE), worker(2, group=ALICE, is_busy=True)]
    marked = {"w1": ALICE, "w2": ALICE}
    assert place({}, dedicated=marked, workers=workers).free == {"w1", "w2"}
    assert place({ALICE: 1}, dedicated=marked, workers=workers).free == {"w1"}


def test_lost_worker_is_replaced_and_its_mark_kept_until_then() -> None:
    placed = place({ALICE: 1}, dedicated={"w1": ALICE}, workers=[worker(2)])
    assert (dict(placed.dedicate), placed.free) == ({ALICE: ["w2"]}, frozenset())
    replaced = place({ALICE: 1}, dedicated={"w1": ALICE, "w2": ALICE}, workers=[worker(2, group=ALICE)])
    assert replaced.free == {"w1"}


def test_workers_that_do_not_serve_the_type_or_have_no_sandbox_are_passed_over() -> None:
    workers = [worker(1, core_types=frozenset({"m1"})), worker(2, problem="No engine."), worker(3, drained="1")]
    assert place({ALICE: 1}, dedicated={}, workers=workers).dedicate == {}


def test_more_on_the_host_that_the_group_is_on() -> None:
    workers = [worker(1, host="a"), worker(2, host="b", group=ALICE), worker(3, host="b")]
    assert dict(place({ALICE: 2}, dedicated={"w2": ALICE}, workers=workers).dedicate) == {ALICE: ["w3"]}


GROUPS = st.sampled_from([ALICE, BOB, Group(3, "c2")])
WORKERS = st.lists(
    st.builds(dict, is_busy=st.booleans(), group=st.none() | GROUPS, problem=st.sampled_from(["", "", "ill"])),
    max_size=8,
).map(lambda found: [worker(n, **fields) for n, fields in enumerate(found)])
WANTED = st.dictionaries(GROUPS, st.integers(min_value=1, max_value=6))


@given(WANTED, WORKERS, st.dictionaries(st.sampled_from([f"w{n}" for n in range(10)]), GROUPS))
def test_rounds_come_to_rest_with_as_many_as_can_be(
    wanted: dict[Group, int], workers: list[Worker], dedicated: dict[str, Group]
) -> None:
    """Idle workers follow, busy ones end: after a few rounds nothing changes, nobody has too many, and none is idle
    while somebody waits for one."""
    marks = dict(dedicated)
    for _ in range(12):
        placed = place(wanted, dedicated=marks, workers=workers)
        for name in placed.free:
            del marks[name]
        for group, names in placed.dedicate.items():
            assert not set(names) & set(marks)
            marks |= dict.fromkeys(names, group)
        workers = [worker(w.slot, problem=w.problem, group=marks.get(w.name)) for w in workers]
    assert place(wanted, dedicated=marks, workers=workers) == placed
    able = {w.name for w in workers if not w.problem}
    have = {group: sum(1 for name, whose in marks.items() if whose == group and name in able) for group in wanted}
    assert all(have[group] <= number for group, number in wanted.items())
    assert sum(have.values()) == min(len(able), sum(wanted.values()))
