"""Two processes of this machine, without network, database or isolation: what nobody can beat by much."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks.drivers.serve import serve
from benchmarks.drivers.tasks import TASKS


class Pool:
    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self.executor = executor

    def call(self, task: str, item: Any, /) -> Any:
        return self.executor.submit(TASKS[task], item).result()

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        return list(self.executor.map(TASKS[task], items))


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as two:
        serve(Pool(two))
