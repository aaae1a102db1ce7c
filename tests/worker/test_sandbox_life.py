"""Starting, giving away and ending sandboxes."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from environments.engine import NoEngine, engine
from environments.services import build_environment
from tests.waiting import wait_until
from tests.worker.conftest import Bench, Pool, make_sandbox
from worker.sandbox import SandboxFailed, SandboxLost, probe, remove_leftovers
from worker.sandbox.container import LABEL_HOME, LABEL_SLOT, container_prefix
from worker.sandbox.orphans import orphans_named

KINDS = pytest.mark.parametrize("kind", ["process", "container"])


def containers(slot: int) -> list[str]:
    with engine() as client:
        labels = [f"{LABEL_HOME}={settings.PICLOUD_HOME}", f"{LABEL_SLOT}={slot}"]
        return [container["Id"] for container in client.containers(all=True, filters={"label": labels})]


@KINDS
def test_closing_leaves_nothing_and_may_be_repeated(pool: Pool, kind: str) -> None:
    sandbox = make_sandbox(kind, pool.image, slot=5)
    sandbox.start()
    runner = Path(f"/proc/{sandbox._link.peer_pid}")
    sandbox.close()
    sandbox.close()
    assert not runner.exists() or "Z" in (runner / "stat").read_text()
    wait_until(lambda: not sandbox._scratch.root.exists() and containers(5) == [], what="all of it to go")


@KINDS
def test_spare_runs_nothing_until_it_is_someones_and_is_theirs_for_good(pool: Pool, kind: str) -> None:
    with make_sandbox(kind, pool.image, account_id=None) as sandbox:
        with pytest.raises(ValueError, match="spare"):
            Bench(sandbox).run(lambda: 1)
        sandbox.assign(7)
        assert Bench(sandbox).run(lambda: 1).value() == 1
        with pytest.raises(ValueError, match="account 7"):
            sandbox.assign(8)


@KINDS
def test_sandbox_that_ends_by_itself_is_lost(pool: Pool, kind: str) -> None:
    with make_sandbox(kind, pool.image) as sandbox:
        assert sandbox.is_alive()
        os.kill(sandbox._link.peer_pid, signal.SIGKILL)
        wait_until(lambda: not sandbox.is_alive(), what="the end to be seen")
        with pytest.raises(SandboxLost):
            Bench(sandbox).run(lambda: 1)


def test_receiving_does_not_wait(bench: Bench) -> None:
    assert list(bench.sandbox.receive()) == []


@KINDS
def test_nonsense_from_the_worker_ends_the_runner_with_a_word(pool: Pool, kind: str) -> None:
    with make_sandbox(kind, pool.image) as sandbox:
        sandbox.send({"op": "dance"})
        with pytest.raises(SandboxLost, match="dance"):
            Bench(sandbox).finish()


def test_image_that_is_not_there_is_named(engine_socket: Path) -> None:
    sandbox = make_sandbox("container", "localhost/picloud/none:1", slot=6)
    with pytest.raises(SandboxFailed, match=r"picloud/none"):
        sandbox.start()
    assert not sandbox._scratch.root.exists()


def test_image_without_python_says_so(engine_socket: Path, base_image: str, settings: object) -> None:
    sandbox = make_sandbox("container", base_image, slot=6)
    sandbox._command = ("no-such-program",)  # type: ignore[attr-defined]
    with pytest.raises(SandboxFailed, match="no-such-program"):
        sandbox.start()


def test_runtime_that_the_engine_does_not_use_is_refused(base_image: str, settings: Any) -> None:
    settings.CONTAINER_RUNTIME = "runsc"
    with pytest.raises(SandboxFailed, match=r"with runc, not with runsc.*PICLOUD_CONTAINER_RUNTIME=runc"):
        make_sandbox("container", base_image, slot=6).start()


def test_missing_engine_is_one_sentence_with_a_way_out(settings: Any, tmp_path: Path) -> None:
    settings.CONTAINER_ENGINE_URL = f"unix://{tmp_path}/none.sock"
    with pytest.raises(NoEngine, match=r"apt install podman.*PICLOUD_SANDBOX=process"):
        make_sandbox("container", "any", slot=6).start()


@pytest.mark.django_db
def test_probe_tells_what_runs_here(base_image: str) -> None:
    build_environment(name="base")
    facts = probe()
    assert (facts["sandbox"], facts["python"]) == ("container", "3.11")
    assert facts["engine"].startswith("Podman")


SCRIPT = """
import sys, django
django.setup()
from tests.worker.conftest import Bench, make_sandbox
sandbox = make_sandbox(sys.argv[1], sys.argv[2], slot=9)
sandbox.start()
print(sandbox._link.peer_pid, flush=True)
sys.stdin.read()
"""


@KINDS
def test_sandbox_ends_when_its_worker_is_killed(pool: Pool, kind: str) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "picloud_site.settings", "PICLOUD_HOME": str(settings.PICLOUD_HOME)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, kind, pool.image], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        runner = Path(f"/proc/{int(worker.stdout.readline())}")
        worker.kill()
    wait_until(lambda: not runner.exists(), what="the runner to end")
    wait_until(lambda: containers(9) == [], what="the container to go")
    remove_leftovers(settings.PICLOUD_HOME, slot=9)
    assert list((settings.PICLOUD_HOME / "scratch").glob("9-*")) == []


def test_container_that_the_engine_has_forgotten_is_ended_too(pool: Pool) -> None:
    sandbox = make_sandbox("container", pool.image, slot=11)
    with sandbox:
        name = f"{container_prefix()}{sandbox.name}"
        (found,) = orphans_named(name)
        found.remove()
        wait_until(lambda: not sandbox.is_alive(), what="the container to end")
        wait_until(lambda: list(orphans_named(name)) == [], what="its monitor to end")
