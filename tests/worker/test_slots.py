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
