"""Ours: over HTTP, into containers, every job a row in the database."""

from collections.abc import Sequence
from typing import Any

import cloud
from benchmarks.drivers.serve import serve
from benchmarks.drivers.tasks import TASKS


class PiCloud:
    def call(self, task: str, item: Any, /) -> Any:
        return cloud.result(cloud.call(TASKS[task], item))

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        results: list[Any] = cloud.result(cloud.map(TASKS[task], items))
        return results


if __name__ == "__main__":
    serve(PiCloud())
