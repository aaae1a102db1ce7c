"""The line on a terminal while many jobs are waited for; none in a pipe."""

import io

import pytest

from cloud import _progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, *, total: int, quiet_seconds: float = 0) -> str:
    """What a wait for so many jobs writes to a terminal."""
    terminal = Terminal()
    # Not in a fixture: pytest puts its own stream back between a fixture and its test.
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(_progress, "_QUIET_SECONDS", quiet_seconds)
    wait(total)
    return terminal.getvalue()


def wait(total: int) -> None:
    with _progress.Progress(total) as progress:
        progress.update({"queued": 2, "processing": 1, "done": 0}, [[2, 4]])


def test_it_counts_by_status_and_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, total=4)
    assert "1/4 finished, 2 queued, 1 processing  0:00" in text
    assert text.endswith("\r\x1b[K")


def test_a_single_job_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, total=1) == ""


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_progress, "_QUIET_SECONDS", 0)
    wait(4)
    assert capsys.readouterr().err == ""


def test_a_job_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICLOUD_JOB_TOKEN", "abc")
    assert shown(monkeypatch, total=4) == ""


def test_a_short_wait_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, total=4, quiet_seconds=100) == ""
