"""Workers that are there, as far as anybody can see."""

from jobs.services import bus


def report(number: int = 2, *, host: str = "here", core_types: str = "c1,c2", **fields: str) -> None:
    """Workers of a host that are there."""
    for slot in range(number):
        facts = {"host": host, "slot": slot, "core_types": core_types, "problem": "", **fields}
        bus.connection().hset(bus.worker_key(f"{host}:8000:{slot}"), mapping=facts)
