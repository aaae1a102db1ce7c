"""Bytes on their way into the bucket: counted, hashed, and refused when they are not the announced ones."""

import hashlib

from common.exceptions import Refused
from storage.bucket import Readable

NAMES = {"md5": "MD5", "sha256": "SHA-256"}


class CutOff(Refused):
    """The upload ended early."""


class CheckedStream:
    """Passes a stream on, and refuses at its end if it was not the announced bytes."""

    def __init__(self, stream: Readable, *, size: int, announced: str, algorithm: str = "md5") -> None:
        self._stream = stream
        self._left = size
        self._algorithm = algorithm
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._announced = announced

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        chunk = self._stream.read(wanted) if wanted else b""
        if wanted and not chunk:
            raise CutOff("cut_off", f"The upload ended {self._left} bytes early. Nothing was changed; send it again.")
        self._hash.update(chunk)
        self._left -= len(chunk)
        if not self._left and self._announced and self._announced != self.digest:
            raise CutOff(
                "bad_md5" if self._algorithm == "md5" else "bad_digest",
                f"The bytes that arrived do not have the announced {NAMES[self._algorithm]} sum. Send the file again.",
            )
        return chunk
