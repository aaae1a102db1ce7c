"""Somebody inside has taken over the runner: the worker ends that sandbox, and goes on."""

import socket
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from environments.models import Environment
from jobs.models import Job
from tests.submitting import claim, submit
from worker.chunk import ChunkRun
from worker.inputs import Inputs
from worker.sandbox import Sandbox, SandboxKey, SandboxLost, Usage
from worker.sandbox.base import Limits

REPORT = {
    "ok": True, "reason": "", "size": 0, "exception": False, "error": "",
    "run_ms": 1, "user_ms": 0, "system_ms": 0, "max_rss": 1,
}  # fmt: skip


class TakenOver(Sandbox):
    """A sandbox in which the runner answers each run with one given frame."""

    modules_inside = "/nowhere"

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(slot=1, key=SandboxKey(1, "test", "c1", 1), image="", limits=Limits(1, 1, 1, 1))
        self.answer = answer
        self.ours, self.theirs = socket.socketpair()

    def send(self, header: Any, *payload: Any) -> None:
        self.job = header["items"][0][0] if header["op"] == "run" else 0
        self.theirs.send(b"!")

    def fileno(self) -> int:
        return self.ours.fileno()

    def receive(self) -> Iterable[tuple[Any, bytes]]:
        self.ours.recv(1)
        reports = [{**REPORT, "job": self.job, **report} for report in self.answer.get("outcomes", [])]
        yield ({**self.answer, "outcomes": reports} if reports else self.answer), b""

    def usage(self) -> Usage:
        return Usage()

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def _launch(self) -> None: ...

    def _make_meter(self) -> Any: ...

    def _why_dead(self) -> str:
        return ""


@pytest.fixture
def job(alice: Any) -> Iterator[Any]:
    Environment.objects.create(name="base", image="", digest="test", python="3.11")
    submit(alice)
    return claim(alice)


@pytest.mark.parametrize(
    "answer",
    [
        {"op": "outcomes", "outcomes": [{"run_ms": float("nan")}]},
        {"op": "outcomes", "outcomes": [{"run_ms": -5}]},
        {"op": "outcomes", "outcomes": [{"max_rss": 10**30}]},
        {"op": "outcomes", "outcomes": [{"user_ms": "much"}]},
        {"op": "outcomes", "outcomes": [{"size": 100}]},
        {"op": "outcomes"},
        {"op": "started"},
        {"op": "output", "job": []},
    ],
)
def test_nonsense_ends_the_sandbox_and_the_job(job: Any, answer: dict[str, Any]) -> None:
    sandbox = TakenOver(answer)
    run = ChunkRun(job, sandbox, inputs=Inputs(), worker="w1", should_stop=lambda: False, on_tick=lambda: None)
    with pytest.raises(SandboxLost, match="broke the protocol"):
        run.run()
    sandbox.close()
    row = Job.objects.get()
    assert (row.status, row.reason) == ("error", "sandbox")
