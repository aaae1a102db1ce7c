"""Version 2 of control groups, from files as its kernel shows them; version 1 is read of real containers elsewhere."""

from pathlib import Path

import pytest

from worker.sandbox import SandboxLost, meter
from worker.sandbox.meter import Cgroup


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cgroup:
    monkeypatch.setattr(meter, "ROOT", tmp_path)
    inner = tmp_path / "machine.slice/libpod-1.scope/container"
    inner.mkdir(parents=True)
    (tmp_path / "machine.slice/memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("300000000\n")
    for name, text in {
        "memory.max": "max\n",
        "memory.current": "90000000\n",
        "memory.stat": "anon 50000000\nfile 40000000\ninactive_file 30000000\n",
        "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n",
        "cpu.stat": "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n",
        "cgroup.procs": "11\n12\n",
    }.items():
        (inner / name).write_text(text)
    return Cgroup({"": str(inner.relative_to(tmp_path))})


def test_version_2_is_read(group: Cgroup) -> None:
    assert (group.cpu_ns(), group.memory(), group.oom_kills()) == (1_234_567_000, 60_000_000, 1)
    assert group.pids() == [11, 12]


def test_limit_may_stand_on_a_group_above(group: Cgroup) -> None:
    assert group.memory_limit() == 300_000_000


def test_group_that_is_gone_is_a_lost_sandbox(group: Cgroup, tmp_path: Path) -> None:
    (tmp_path / "machine.slice/libpod-1.scope/container/cpu.stat").unlink()
    with pytest.raises(SandboxLost):
        group.cpu_ns()


def test_processes_without_a_group_of_their_own_have_none() -> None:
    import os

    assert Cgroup.of(os.getpid()) is None
