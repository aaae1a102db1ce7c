"""How the worker and the runner talk: frames of a JSON header and a payload."""

import json
import struct
from typing import Any

Header = dict[str, Any]
Buffer = bytes | memoryview

FRAME = struct.Struct(">II")


class BadFrame(Exception):
    """The other side broke the protocol."""


def pack_frame(header: Header, *payload: Buffer) -> list[Buffer]:
    """The buffers of one frame, to be written one after another."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return [FRAME.pack(len(text), sum(map(len, payload))) + text, *payload]


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self, max_frame: int = 1 << 30) -> None:
        self.buffer = bytearray()
        self.max_frame = max_frame

    def feed(self, data: bytes) -> None:
        self.buffer += data

    def next(self) -> tuple[Header, bytes] | None:
        """The next whole frame, or None until more bytes come."""
        if len(self.buffer) < FRAME.size:
            return None
        header_size, payload_size = FRAME.unpack_from(self.buffer)
        middle = FRAME.size + header_size
        end = middle + payload_size
        if end > self.max_frame:
            raise BadFrame(f"a frame of {end} bytes is over the limit of {self.max_frame}")
        if len(self.buffer) < end:
            return None
        with memoryview(self.buffer) as view:
            head, payload = bytes(view[FRAME.size : middle]), bytes(view[middle:end])
        del self.buffer[:end]
        return parse_header(head), payload


def parse_header(text: bytes) -> Header:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise BadFrame(f"a header is not JSON: {error}") from error
    if not isinstance(header, dict) or "op" not in header:
        raise BadFrame("a header has no op")
    return header
