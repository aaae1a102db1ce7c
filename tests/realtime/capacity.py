"""Snapshots for tests of the autoscaler."""

from typing import Any

from realtime.capacity.snapshot import Floor, Machine, Rules, Snapshot, Work

HOUR = 3600.0


def queued(count: int, seconds: float, *, core_type: str = "c1", cores: int = 1, account: int = 1) -> Work:
    return Work(account=account, core_type=core_type, cores=cores, count=count, seconds=seconds)


def running(count: int, seconds: float, **fields: Any) -> Work:
    work = queued(count, seconds, **fields)
    return Work(
        account=work.account,
        core_type=work.core_type,
        cores=work.cores,
        count=count,
        seconds=seconds,
        is_running=True,
    )


def machine(name: str = "m", *, core_type: str = "c1", slots: int = 1, **fields: Any) -> Machine:
    """An idle one whose paid time has just begun."""
    values = {"state": "ready", "paid_for": HOUR, "idle_for": HOUR} | fields
    return Machine(name=name, core_types=(core_type,), slots=slots, **values)


def machines(number: int, **fields: Any) -> list[Machine]:
    return [machine(f"m{n:04}", **fields) for n in range(number)]


def reserved(cores: int, *, core_type: str = "c1", account: int = 1) -> Floor:
    return Floor(account=account, core_type=core_type, cores=cores)


def snapshot(**fields: Any) -> Snapshot:
    """Of an installation that can rent machines of one core for each type."""
    rules = fields.pop("rules", {})
    values: dict[str, Any] = {
        "core_types": ("c1", "c2"),
        "queued": (),
        "running": (),
        "expected": {},
        "reserved": (),
        "machines": (),
        "shapes": {"c1": 1, "c2": 1},
    }
    return Snapshot(**(values | fields), rules=Rules(**({"max_machines": 1000} | rules)))
