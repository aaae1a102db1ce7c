"""The API as its users reach it: with keys, on either object store."""

from tests.storage.conftest import file_store, keys, s3_store, store

__all__ = ["file_store", "keys", "s3_store", "store"]
