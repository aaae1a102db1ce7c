"""The envelope of protocol v1: `u32 big-endian length of the header | header in JSON | body`."""

import json
import struct
from typing import Any

from common.exceptions import Refused

CONTENT_TYPE = "application/x-picloud-pack"
MAX_HEADER = 4_000_000  # bytes


def build(header: dict[str, Any], *parts: bytes | memoryview) -> bytes:
    """A pack with this header and body."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((struct.pack(">I", len(text)), text, *parts))


def parse(pack: bytes) -> tuple[Any, memoryview]:
    """Header and body of a pack. Raises Refused when it is cut off or no pack at all."""
    view = memoryview(pack)
    if len(view) < 4:
        raise Refused("bad_pack", "The request is no pack: it ends before the length of its header.")
    (length,) = struct.unpack_from(">I", view)
    if length > min(MAX_HEADER, len(view) - 4):
        raise Refused("bad_pack", f"The request is no pack: its header of {length} bytes is not all there.")
    try:
        return json.loads(bytes(view[4 : 4 + length])), view[4 + length :]
    except (ValueError, RecursionError) as error:
        raise Refused("bad_pack", f"The header of the pack is not JSON: {error}.") from None
