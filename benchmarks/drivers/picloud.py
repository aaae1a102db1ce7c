"""Ours: over HTTP, into containers, every job a row in the database."""

from collections.abc import Sequence
from typing import Any

import cloudpickle

import cloud
from benchmarks.drivers import tasks
from benchmarks.drivers.serve import serve

# As in anybody's script, where the function stands in `__main__`. What modules cost is a measure of its own.
cloudpickle.register_pickle_by_value(tasks)


class PiCloud:
    def call(self, task: str, item: Any, /) -> Any:
        return cloud.result(cloud.call(tasks.TASKS[task], item))

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        results: list[Any] = cloud.result(cloud.map(tasks.TASKS[task], items))
        return results


if __name__ == "__main__":
    serve(PiCloud())
