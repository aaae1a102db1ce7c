"""The workers that are there, by what they tell of themselves in Redis."""

from dataclasses import dataclass

import redis

from jobs.services import bus
from jobs.services.dispatch import Group


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker that has reported within the last seconds. `name` is that of its leases."""

    name: str
    host: str
    slot: int
    core_types: frozenset[str]
    is_busy: bool
    group: Group | None  # that it is dedicated to and knows of it
    warm: Group | None  # that a sandbox stands ready for, on a core that nobody else holds
    problem: str
    drained: str  # the order to drain that it has carried out; empty without one, or while it runs something

    @property
    def is_able(self) -> bool:
        """Whether it takes work at all."""
        return not self.problem and not self.drained


def worker_reports(store: "redis.Redis") -> dict[str, dict[str, str]]:
    """What each worker reports, by its name. Raises RedisError."""
    prefix = bus.worker_key("")
    keys = [bus.text(key) for key in store.scan_iter(bus.worker_key("*"), count=1000)]
    pipeline = store.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    # One that expired meanwhile is empty.
    return {
        key.removeprefix(prefix): {bus.text(name): bus.text(value) for name, value in report.items()}
        for key, report in zip(keys, pipeline.execute(), strict=True)
        if report
    }


def live_workers() -> list[Worker]:
    """All of them, by name. Raises RedisError: without Redis nobody knows."""
    return [_worker(name, report) for name, report in sorted(worker_reports(bus.connection()).items())]


def _worker(name: str, report: dict[str, str]) -> Worker:
    return Worker(
        name=name,
        host=report.get("host", ""),
        slot=int(report.get("slot", 0)),
        core_types=frozenset(filter(None, report.get("core_types", "").split(","))),
        is_busy=report.get("busy") == "1",
        group=_group(report.get("dedicated")),
        warm=_group(report.get("warm")),
        problem=report.get("problem", ""),
        drained=report.get("drained", ""),
    )


def _group(text: str | None) -> Group | None:
    return Group.parse(text) if text else None
