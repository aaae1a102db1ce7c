"""Dask: a scheduler and two worker processes with one thread each, started by their client."""

from collections.abc import Sequence
from typing import Any

from distributed import Client, LocalCluster

from benchmarks.drivers.serve import serve
from benchmarks.drivers.tasks import TASKS


class Dask:
    def __init__(self, client: Client) -> None:
        self.client = client

    def call(self, task: str, item: Any, /) -> Any:
        return self.client.submit(TASKS[task], item, pure=False).result()

    def map(self, task: str, items: Sequence[Any], /) -> list[Any]:
        results: list[Any] = self.client.gather(self.client.map(TASKS[task], items, pure=False))
        return results


if __name__ == "__main__":
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        serve(Dask(client))
