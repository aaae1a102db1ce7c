"""Frames survive however the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.inside.frames import BadFrame, FrameReader, pack_frame

payloads = st.lists(st.binary(max_size=300), max_size=5)


@given(payloads, st.integers(1, 50))
def test_frames_come_out_as_they_went_in(payloads: list[bytes], step: int) -> None:
    stream = b"".join(bytes(part) for payload in payloads for part in pack_frame({"op": "x"}, payload))
    reader, found = FrameReader(), []
    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
        while frame := reader.next():
            found.append(frame[1])
    assert found == payloads


@pytest.mark.parametrize("header", [b"no json", b"[]", b"{}", b"\xff"])
def test_header_that_is_none_is_refused(header: bytes) -> None:
    reader = FrameReader()
    reader.feed(len(header).to_bytes(4, "big") + bytes(4) + header)
    with pytest.raises(BadFrame):
        reader.next()


def test_frame_over_the_limit_is_refused_before_it_is_read() -> None:
    reader = FrameReader(max_frame=1000)
    reader.feed((5).to_bytes(4, "big") + (10_000).to_bytes(4, "big"))
    with pytest.raises(BadFrame, match="limit"):
        reader.next()
