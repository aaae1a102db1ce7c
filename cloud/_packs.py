"""Packs: a JSON header followed by raw bytes, the form in which pickles travel."""

import json
import struct
from collections.abc import Sequence
from typing import Any

CONTENT_TYPE = "application/x-picloud-pack"
_LENGTH = struct.Struct(">I")


def encode(header: dict[str, Any], blobs: Sequence[bytes]) -> bytes:
    """One pack of a header and the blobs that it describes."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *blobs))


def decode(data: bytes) -> tuple[dict[str, Any], memoryview]:
    """The header and the body of a pack."""
    if len(data) < _LENGTH.size:
        raise ValueError("the answer is too short to be a pack")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    header: dict[str, Any] = json.loads(data[_LENGTH.size : end])
    return header, memoryview(data)[end:]
