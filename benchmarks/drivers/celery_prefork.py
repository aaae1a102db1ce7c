"""Celery, with Redis as broker and result backend; `celery -A` this module `worker` does the work."""

import os
from collections.abc import Sequence
from typing import Any

from celery import Celery, group

from benchmarks.drivers.serve import serve
from benchmarks.drivers.tasks import TASKS

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"], backend=os.environ["BENCH_REDIS_URL"])
app.conf.update(
    task_serializer="pickle",
    result_serializer="pickle",
    accept_content=["pickle"],
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
TIMEOUT = 120  # seconds


@app.task(name="bench.run")  # type: ignore[untyped-decorator]
def run(task: str, item: Any) -> Any:
    return TASKS[task](item)


class Prefork:
    def call(self, task: str, item: Any, /) -> Any:
        return run.apply_async((task, item)).get(timeout=TIMEOUT)

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        results: list[Any] = group(run.s(task, item) for item in items)().get(timeout=TIMEOUT)
        return results


if __name__ == "__main__":
    serve(Prefork())
