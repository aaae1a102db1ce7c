"""The arguments of many jobs in one blob: a table of sizes, then the items, so that one item can be cut out."""

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

from common.exceptions import NotFound
from jobs.models import Batch
from storage.services import read_blob


def build_pack(sizes: Sequence[int], items: bytes | memoryview) -> bytes:
    """u32 count, u32 size of each item, then the items; big-endian."""
    return b"".join((struct.pack(f">I{len(sizes)}I", len(sizes), *sizes), items))


def split_pack(pack: bytes) -> list[memoryview]:
    """The items of a pack, without copying them."""
    (count,) = struct.unpack_from(">I", pack)
    sizes = struct.unpack_from(f">{count}I", pack, 4)
    view = memoryview(pack)
    ends = list(accumulate(sizes, initial=4 + 4 * count))
    return [view[start:end] for start, end in pairwise(ends)]


def read_item(batch: Batch, index: int) -> bytes:
    """The pickled arguments of one job, as its submitter sent them."""
    pack = batch.packs.filter(first_index__lte=index).select_related("blob").order_by("-first_index").first()
    if pack is None:
        raise NotFound("arguments_unknown", f"The arguments of item {index} of {batch} are gone.")
    return bytes(split_pack(read_blob(pack.blob))[index - pack.first_index])
