"""Every change to stored bytes: blobs that jobs are made of, raw objects, and people's files."""

from storage.bucket import ObjectMissing
from storage.selectors import read_blob, read_bytes, read_stream
from storage.services.blobs import drop_blobs_unreferenced, hold_blob, put_blob, put_large_blob
from storage.services.direct import finish_direct_upload, prepare_direct_upload
from storage.services.files import delete_file, save_file
from storage.services.objects import delete_key, put_bytes
from storage.services.orphans import remove_orphans, remove_stale_objects
from storage.services.transfers import count_transfer

__all__ = [
    "ObjectMissing",
    "count_transfer",
    "delete_file",
    "delete_key",
    "drop_blobs_unreferenced",
    "finish_direct_upload",
    "hold_blob",
    "prepare_direct_upload",
    "put_blob",
    "put_bytes",
    "put_large_blob",
    "read_blob",
    "read_bytes",
    "read_stream",
    "remove_orphans",
    "remove_stale_objects",
    "save_file",
]
