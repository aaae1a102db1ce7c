"""Workers for tests of reservations: what each would report in Redis, and how it follows its dedication."""

from typing import Any

from redis import Redis

from jobs.services.dedication import dedication_of

NAMES = ("host:8000:1", "host:8000:2", "host:8000:3", "host:8000:4")


class Workers:
    """So many idle workers of one host. `follow` does between jobs what a worker does there."""

    def __init__(self, redis: Redis, number: int = 2, core_types: str = "c1,c2") -> None:
        self.redis = redis
        self.reports: dict[str, dict[str, Any]] = {}
        for slot in range(1, number + 1):
            self.start(f"host:8000:{slot}", slot=slot, core_types=core_types)

    def start(self, name: str, **fields: Any) -> None:
        report = {"host": "host", "slot": 1, "busy": 0, "dedicated": "", "warm": "", "problem": "", "core_types": "c1"}
        self.reports[name] = report | fields
        self.redis.hset(f"picloud:worker:{name}", mapping=self.reports[name])

    def tell(self, name: str, **fields: Any) -> None:
        self.reports[name] |= fields
        self.redis.hset(f"picloud:worker:{name}", mapping=self.reports[name])

    def lose(self, name: str) -> None:
        del self.reports[name]
        self.redis.delete(f"picloud:worker:{name}")

    def follow(self) -> None:
        """Every idle worker serves now whom it is dedicated to, and has a sandbox ready."""
        for name, report in self.reports.items():
            if not report["busy"]:
                group = str(dedication_of(name) or "")
                self.tell(name, dedicated=group, warm=group)

    def serving(self, group: str) -> list[str]:
        return [name for name, report in self.reports.items() if report["dedicated"] == group]
