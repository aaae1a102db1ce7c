"""scripts/setup on a machine that lacks things, for somebody who is not root there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import CODE

TOOLS = ["sh", "dirname", "sha256sum", "cat", "ls", "date", "mktemp", "rm"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A clone beside a `bin` with little in it, where `id` says that this is a plain user."""
    (tmp_path / "clone/scripts").mkdir(parents=True)
    shutil.copy(CODE / "scripts/setup", tmp_path / "clone/scripts/setup")
    shutil.copy(CODE / "pyproject.toml", tmp_path / "clone/pyproject.toml")
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    (tools / "python3").symlink_to(sys.executable)
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "id").chmod(0o755)
    return tmp_path


def set_up(machine: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [str(machine / "bin/sh"), str(machine / "clone/scripts/setup"), "up"]
    given = {"PATH": str(machine / "bin"), "HOME": str(machine)} | env
    return subprocess.run(command, env=given, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def test_each_missing_part_is_one_sentence_with_its_command(machine: Path) -> None:
    done = set_up(machine)
    assert done.returncode == 1
    assert "Podman, which runs the containers, is missing: apt-get install podman conmon netavark\n" in done.stderr
    assert "mmdebstrap, which builds the base environment, is missing: apt-get install mmdebstrap\n" in done.stderr
    assert done.stderr.endswith("Install these (as root), then start again.\n")


def test_nothing_is_touched_without_root(machine: Path) -> None:
    set_up(machine)
    assert not (machine / "clone/.venv").exists()


def test_engine_of_ones_own_needs_no_podman(machine: Path) -> None:
    assert "Podman" not in set_up(machine, PICLOUD_CONTAINER_ENGINE="unix:///var/run/docker.sock").stderr


def test_word_that_is_none_is_refused(machine: Path) -> None:
    command = [str(CODE / "scripts/setup"), "everything"]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert (done.returncode, done.stderr) == (2, "usage: scripts/setup up|test|lint|bench\n")
