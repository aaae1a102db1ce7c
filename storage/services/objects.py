"""Raw objects under keys that the caller makes and remembers."""

from storage.bucket import bucket


def put_bytes(key: str, data: bytes) -> None:
    """Store an object. Raises DiskFull when there is no room, and then nothing is stored."""
    bucket().put_bytes(key, data)


def delete_key(key: str) -> None:
    """Delete an object; when it is gone already, that is well."""
    bucket().delete(key)
