"""What jobs are made of: the function of a batch, and the arguments of each job."""

from collections.abc import Sequence

from jobs.services.modules import Archive, archives_of
from jobs.services.packs import read_function, read_pack
from jobs.services.work import Work


class Inputs:
    """Keeps the function and the arguments read last, because the next chunk mostly needs the same."""

    def __init__(self) -> None:
        self._function = (0, b"")
        self._archives: tuple[int, list[Archive]] = (0, [])
        self._batch_id = 0
        self._first = 0
        self._items: list[memoryview] = []

    def function(self, work: Work) -> bytes:
        """The pickled function. Its blob never changes, so calls of one function read it once."""
        if self._function[0] != work.function_blob_id:
            self._function = (work.function_blob_id, read_function(work.function_blob_id))
        return self._function[1]

    def archives(self, work: Work) -> Sequence[Archive]:
        """The archives of modules that the function needs. A set never changes, so the last one is kept."""
        if work.module_set_id is None:
            return ()
        if self._archives[0] != work.module_set_id:
            self._archives = (work.module_set_id, archives_of(work.module_set_id))
        return self._archives[1]

    def item(self, work: Work, index: int) -> memoryview:
        """The pickled arguments of one job. Keeps the pack it is in, since the next ones lie there too."""
        if self._batch_id != work.batch_id or not 0 <= index - self._first < len(self._items):
            self._first, self._items = read_pack(work.batch_id, index)
            self._batch_id = work.batch_id
        return self._items[index - self._first]
