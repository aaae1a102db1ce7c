"""The table of moves."""

import pytest

from jobs.states import FINISHED, MOVES, BadMove, Status, check_move


def test_nothing_follows_a_finished_status() -> None:
    assert {"done", "error", "killed", "stalled"} == FINISHED


def test_wrong_move_is_refused() -> None:
    with pytest.raises(BadMove):
        check_move(Status.DONE, Status.QUEUED)


def test_every_status_has_a_row() -> None:
    assert set(MOVES) == set(Status)


def test_only_queued_jobs_start() -> None:
    assert {before for before, after in MOVES.items() if Status.PROCESSING in after} == {Status.QUEUED}
