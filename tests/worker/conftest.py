"""Sandboxes of both kinds, and a bench to run functions in them the way a worker does."""

import pickle
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import pytest

from worker.sandbox import Limits, Sandbox, SandboxKey, new_sandbox

LIMITS = Limits(memory=150_000_000, cpu_shares=1024, processes=64, disk=50_000_000)


@dataclass
class Seen:
    """All that came out of a run."""

    outcomes: dict[int, dict[str, Any]] = field(default_factory=dict)
    output: dict[tuple[int, str], bytearray] = field(default_factory=dict)
    order: list[tuple[str, Any]] = field(default_factory=list)
    idle: bool = False

    def value(self, job: int = 0) -> Any:
        outcome = self.outcomes[job]
        assert outcome["ok"], outcome
        return outcome["value"]

    def error(self, job: int = 0) -> str:
        return str(self.outcomes[job]["error"])

    def text(self, job: int = 0, stream: str = "stdout") -> str:
        return self.output.get((job, stream), b"").decode("utf-8", "replace")

    def take(self, header: dict[str, Any], payload: bytes) -> None:
        if header["op"] == "outcomes":
            offset = 0
            for outcome in header["outcomes"]:
                blob = payload[offset : offset + outcome["size"]]
                offset += outcome["size"]
                assert outcome["job"] not in self.outcomes, "reported twice"
                self.outcomes[outcome["job"]] = outcome | {"value": pickle.loads(blob) if blob else None}
                self.order.append(("outcome", outcome["job"]))
        elif header["op"] == "output":
            key = (header["job"], header["stream"])
            self.output.setdefault(key, bytearray()).extend(payload)
            self.order.append(("output", key))
        else:
            self.order.append((header["op"], header.get("job")))
            self.idle = header["op"] == "idle"


class Bench:
    """Sends runs into a sandbox. Jobs are numbered from 0 and their jids from 100."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.number = 0

    def start(self, function: Callable[..., Any], *arguments: tuple[Any, ...], **header: Any) -> int:
        self.number += 1
        blob = cloudpickle.dumps(function)
        items = [pickle.dumps((args, {})) for args in arguments]
        self.sandbox.send(
            {
                "op": "run",
                "run": self.number,
                "term_grace": 0.3,
                "result_limit": 1_000_000,
                "cwd": "/home/picloud",
                "token": "the-token",
                "function": len(blob),
                "items": [[job, 100 + job, len(item)] for job, item in enumerate(items)],
            }
            | header,
            blob,
            *items,
        )
        return self.number

    def stop(self, *jobs: int) -> None:
        self.sandbox.send({"op": "stop", "jobs": list(jobs)})

    def collect(self, seen: Seen, until: Callable[[Seen], bool], timeout: float = 20) -> Seen:
        deadline = time.monotonic() + timeout
        while not until(seen):
            assert time.monotonic() < deadline, f"nothing more came: {seen}"
            if select.select([self.sandbox], [], [], 0.1)[0]:
                for frame in self.sandbox.receive():
                    seen.take(*frame)
        return seen

    def finish(self, seen: Seen | None = None, timeout: float = 20) -> Seen:
        return self.collect(seen or Seen(), lambda seen: seen.idle, timeout)

    def run(self, function: Callable[..., Any], *arguments: tuple[Any, ...], **header: Any) -> Seen:
        """Run to the end. Without arguments the function is called once with none."""
        self.start(function, *(arguments or ((),)), **header)
        return self.finish()


def make_sandbox(kind: str, image: str, **changes: Any) -> Sandbox:
    fields = {"slot": 0, "account_id": 1, "limits": LIMITS} | changes
    key = SandboxKey(fields["account_id"], "digest", "c1", 1)
    return new_sandbox(slot=fields["slot"], key=key, image=image, limits=fields["limits"], kind=kind)


class Pool:
    """Keeps one sandbox of each kind for all tests, and replaces one that a test has broken."""

    def __init__(self, base_image: str) -> None:
        self.image = base_image
        self.benches: dict[str, Bench] = {}

    def bench(self, kind: str) -> Bench:
        if kind not in self.benches:
            sandbox = make_sandbox(kind, self.image)
            sandbox.start()
            self.benches[kind] = Bench(sandbox)
        return self.benches[kind]

    def drop(self, kind: str) -> None:
        self.benches.pop(kind).sandbox.close()


@pytest.fixture(scope="session")
def pool(base_image: str) -> Iterator[Pool]:
    pool = Pool(base_image)
    yield pool
    for kind in list(pool.benches):
        pool.drop(kind)


def _bench(pool: Pool, kind: str, request: pytest.FixtureRequest) -> Iterator[Bench]:
    failed_before = request.session.testsfailed
    yield pool.bench(kind)
    if request.session.testsfailed > failed_before:
        pool.drop(kind)


@pytest.fixture(params=["process", "container"])
def bench(pool: Pool, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A warm sandbox of either kind."""
    yield from _bench(pool, request.param, request)


@pytest.fixture
def container(pool: Pool, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A warm container."""
    yield from _bench(pool, "container", request)
