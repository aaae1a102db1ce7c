"""The server's disk fills up: everybody is told, and nothing that was accepted or computed is lost."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import stack as stacks
from tests.waiting import wait_until


class Filler:
    """A file that takes all the room there is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        with self.path.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65_536))
            except OSError:
                return

    def remove(self) -> None:
        self.path.unlink()


@pytest.fixture
def stack() -> Iterator[stacks.Stack]:
    """A stack whose home is a file system of its own with 300 MB."""
    with stacks.stack_at_rest(PICLOUD_SANDBOX="process", PICLOUD_WORKERS="1") as one:
        one.home.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(one.home)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"cannot mount a small disk here: {mounted.stderr}")
        try:
            one.start()
            yield one
            one.stop()
        finally:
            subprocess.run(["umount", "--lazy", str(one.home)], check=True)


def test_submit_is_refused_with_a_sentence_and_works_again_afterwards(stack: stacks.Stack, tmp_path: Path) -> None:
    alice = stack.account("alice")
    filler = Filler(stack.home / "filler")
    filler.fill()
    refused = alice.run(
        "import cloud\ntry:\n    cloud.call(len, bytes(300_000))\nexcept cloud.CloudException as e:\n    print(e)",
        cwd=tmp_path,
    )
    filler.remove()
    assert "disk is full" in refused
    assert alice.run("import cloud; print(cloud.result(cloud.call(len, b'abc')))", cwd=tmp_path) == "3\n"


def test_result_that_does_not_fit_waits_for_room(stack: stacks.Stack, tmp_path: Path) -> None:
    alice = stack.account("alice")
    ready, go = tmp_path / "ready", tmp_path / "go"
    jid = alice.run(
        f"""
import cloud
def big():
    import pathlib, time
    pathlib.Path({str(ready)!r}).touch()
    while not pathlib.Path({str(go)!r}).exists():
        time.sleep(0.05)
    return bytes(10_000_000)
print(cloud.call(big))
""",
        cwd=tmp_path,
    ).strip()
    wait_until(ready.exists, timeout=20, what="the job")
    filler = Filler(stack.home / "filler")
    filler.fill()
    go.touch()
    wait_until(lambda: "wait in memory" in stack.log, timeout=20, what="the worker to say that it holds the result")
    filler.remove()
    assert alice.run(f"import cloud; print(len(cloud.result({jid})))", cwd=tmp_path) == "10000000\n"
