"""The arguments of many jobs in one blob: a table of sizes, then the items, so that one item can be cut out."""

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

from common.exceptions import NotFound
from common.sql import fetch_one
from jobs.models import Batch
from storage.services import read_bytes


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


_FIND_PACK = """
SELECT pack.first_index, blob.inline, blob.key FROM jobs_argumentpack pack
JOIN storage_blob blob ON blob.id = pack.blob_id
WHERE pack.batch_id = %s AND pack.first_index <= %s ORDER BY pack.first_index DESC LIMIT 1
"""


def read_pack(batch_id: int, index: int) -> tuple[int, list[memoryview]]:
    """The pack that holds item `index` of a batch: the index of its first item, and its items."""
    row = fetch_one(_FIND_PACK, [batch_id, index])
    if row is None:
        raise NotFound("arguments_unknown", f"The arguments of item {index} of batch {batch_id} are gone.")
    first, inline, key = row
    return first, split_pack(read_bytes(key) if key else bytes(inline))


def read_item(batch: Batch, index: int) -> bytes:
    """The pickled arguments of one job, as its submitter sent them."""
    first, items = read_pack(batch.pk, index)
    return bytes(items[index - first])


def read_function(blob_id: int) -> bytes:
    """The pickled function in a blob."""
    row = fetch_one("SELECT inline, key FROM storage_blob WHERE id = %s", [blob_id])
    if row is None:
        raise NotFound("function_unknown", f"The function in blob {blob_id} is gone.")
    return read_bytes(row[1]) if row[1] else bytes(row[0])
