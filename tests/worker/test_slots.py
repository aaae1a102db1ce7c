"""Cores of a host, shared by its workers."""

from pathlib import Path

from worker.slots import Slots


def test_no_more_are_taken_than_there_are(tmp_path: Path) -> None:
    with Slots(tmp_path, 2).take(2, timeout=0) as first, Slots(tmp_path, 2).take(1, timeout=0) as second:
        assert (first, second) == (True, False)


def test_they_come_back(tmp_path: Path) -> None:
    slots = Slots(tmp_path, 2)
    with slots.take(2, timeout=0):
        pass
    with slots.take(2, timeout=0) as again:
        assert again


def test_two_small_jobs_share(tmp_path: Path) -> None:
    slots = Slots(tmp_path, 2)
    with slots.take(1, timeout=0) as first, slots.take(1, timeout=0) as second:
        assert first
        assert second


def test_more_cores_than_the_host_has_are_refused_at_once(tmp_path: Path) -> None:
    with Slots(tmp_path, 2).take(4, timeout=60) as enough:
        assert not enough


def test_a_group_keeps_its_slots_to_itself(tmp_path: Path) -> None:
    """Of three workers the last is dedicated: a job of three cores has no place, one of two takes the others'."""
    first, second, third = (Slots(tmp_path, 3, own=number) for number in (1, 2, 3))
    third.join("7-c2")
    assert (first.shared(), second.shared(), third.shared()) == ([1, 2], [2, 1], [3])
    with first.take(3, timeout=60) as too_many, second.take(2, timeout=0) as enough:
        assert (too_many, enough) == (False, True)
        with third.take(1, timeout=0) as own:
            assert own


def test_a_group_has_many_slots_of_its_own(tmp_path: Path) -> None:
    one, two = (Slots(tmp_path, 4, own=number) for number in (2, 4))
    one.join("7-c2")
    two.join("7-c2")
    with two.take(2, timeout=0) as enough:
        assert enough
        assert not one.owns()


def test_a_slot_that_others_still_hold_is_not_yet_the_groups(tmp_path: Path) -> None:
    first, second = Slots(tmp_path, 2, own=1), Slots(tmp_path, 2, own=2)
    with first.take(2, timeout=0):
        second.join("7-c1")
        assert not second.owns()
    assert second.owns()


def test_a_freed_worker_shares_again(tmp_path: Path) -> None:
    first, second = Slots(tmp_path, 2, own=1), Slots(tmp_path, 2, own=2)
    second.join("7-c1")
    second.join("")
    with first.take(2, timeout=0) as both:
        assert both
