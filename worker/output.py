"""What a job prints: kept within limits for the database, and passed on while it runs."""

import codecs
import time
from dataclasses import dataclass, field

from jobs.services.finish import KeptLog
from jobs.services.livelog import publish_output

HEAD = 256 * 1024  # bytes kept from the beginning of a stream
TAIL = 256 * 1024  # bytes kept from its end
LIVE_SECONDS = 0.1  # between two live messages of a stream
LIVE_BYTES = 64 * 1024  # of one live message; what is over is left out of the live view, not of the log


def storable(text: str) -> str:
    """Text as both databases can keep it: PostgreSQL has no NUL, and nobody has lone surrogates."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode("utf-8")


@dataclass
class _Stream:
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0
    live: bytearray = field(default_factory=bytearray)
    # Live pieces are cut anywhere, also in the middle of a character.
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("backslashreplace")
    )


class JobOutput:
    """The output of one run of a job, by stream."""

    def __init__(self, job_id: int) -> None:
        self._job_id = job_id
        self._streams: dict[str, _Stream] = {}
        self._live_at = time.monotonic() + LIVE_SECONDS
        self.went_live = False

    def add(self, stream: str, data: bytes) -> None:
        kept = self._streams.setdefault(stream, _Stream())
        room = HEAD - len(kept.head)
        kept.head += data[:room]
        kept.tail += data[max(room, 0) :] if room > 0 else data
        if len(kept.tail) > 2 * TAIL:
            self._trim(kept)
        kept.live += data
        if len(kept.live) > 2 * LIVE_BYTES:
            del kept.live[:-LIVE_BYTES]

    @staticmethod
    def _trim(kept: _Stream) -> None:
        over = len(kept.tail) - TAIL
        if over > 0:
            del kept.tail[:over]
            kept.dropped += over

    def publish(self) -> None:
        """Send what is new to the watchers, at most every LIVE_SECONDS."""
        now = time.monotonic()
        if now < self._live_at:
            return
        for stream, kept in self._streams.items():
            if kept.live:
                publish_output(self._job_id, stream=stream, text=storable(kept.decoder.decode(bytes(kept.live))))
                kept.live.clear()
                self.went_live = True
                self._live_at = now + LIVE_SECONDS

    def kept(self) -> list[KeptLog]:
        """The log to store: beginning and end of each stream."""
        logs = []
        for stream, kept in self._streams.items():
            self._trim(kept)
            head, tail = bytes(kept.head), bytes(kept.tail)
            if not kept.dropped:
                # One piece, so that no character is cut in two between them.
                head, tail = head + tail, b""
            logs.append(KeptLog(stream=stream, head=_text(head), tail=_text(tail), dropped=kept.dropped))
        return logs


def _text(data: bytes) -> str:
    return storable(data.decode("utf-8", "backslashreplace"))
