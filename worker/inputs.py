"""What the jobs of a batch are made of: its function, and the arguments of each."""

from jobs.models import ArgumentPack
from jobs.services.packs import split_pack
from storage.models import Blob
from storage.services import read_blob


class BatchInputs:
    """Reads the blobs of a batch once, however many chunks of it this worker runs."""

    def __init__(self, *, batch_id: int, function_blob_id: int) -> None:
        self.batch_id = batch_id
        self.function = read_blob(Blob.objects.get(pk=function_blob_id))
        self._items: list[memoryview] = []
        self._first = 0

    def item(self, index: int) -> memoryview:
        """The pickled arguments of one job. Keeps the pack it is in, since the next ones lie there too."""
        if not self._first <= index < self._first + len(self._items):
            pack = (
                ArgumentPack.objects.filter(batch_id=self.batch_id, first_index__lte=index)
                .select_related("blob")
                .latest("first_index")
            )
            self._first, self._items = pack.first_index, split_pack(read_blob(pack.blob))
        return self._items[index - self._first]
