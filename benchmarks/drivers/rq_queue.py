"""RQ on the queue that the command line names; `rq worker` does the work. Results are waited for by blocking reads."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job

from benchmarks.drivers import tasks
from benchmarks.drivers.serve import WrongResult, serve

TIMEOUT = 120  # seconds


class RQ:
    def __init__(self, name: str) -> None:
        # redis-py gives up on a blocking read after 5 s unless told otherwise.
        self.queue = Queue(name, connection=Redis.from_url(os.environ["BENCH_REDIS_URL"], socket_timeout=TIMEOUT + 10))

    def call(self, task: str, item: Any, /) -> Any:
        return self._result(self.queue.enqueue(getattr(tasks, task), item))

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        prepared = [Queue.prepare_data(getattr(tasks, task), (item,)) for item in items]
        return [self._result(job) for job in self.queue.enqueue_many(prepared)]

    def _result(self, job: Job) -> Any:
        result = job.latest_result(timeout=TIMEOUT)
        if result is None or result.type != result.Type.SUCCESSFUL:
            raise WrongResult(f"RQ answered {result}")
        return result.return_value


if __name__ == "__main__":
    serve(RQ(sys.argv[1]))
