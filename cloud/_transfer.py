"""The bytes of files on their way: counted, hashed, and shown when there are many."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from cloud import _client
from cloud._answers import BadAnswer
from cloud._errors import CloudException
from cloud._progress import Line

CHUNK = 256 * 1024
_SHOW_FROM = 4_000_000
_PART_SECONDS = 120.0


class Readable(Protocol):
    """Whatever bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, none at the end."""


class Upload:
    """A file's bytes from where it stands to its end, readable again for another try."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._start = file.tell()
        self.size = file.seek(0, io.SEEK_END) - self._start
        self.md5 = ""

    def parts(self) -> Iterator[bytes]:
        """The bytes from the beginning; `md5` holds their digest afterwards."""
        self._file.seek(self._start)
        digest = hashlib.md5(usedforsecurity=False)
        left = self.size
        with transfer_line(self.size) as line:
            while left:
                part = self._file.read(min(CHUNK, left))
                if not part:
                    raise CloudException(f"{self._name!r} became shorter while it was sent: send it again.")
                left -= len(part)
                digest.update(part)
                yield part
                line.draw(
                    1 - left / self.size, f"{self._name}  {megabytes(self.size - left)} of {megabytes(self.size)}"
                )
        self.md5 = digest.hexdigest()


def copy(source: Readable, target: IO[bytes], *, size: int, name: str) -> str:
    """Copy all bytes to target and return their MD5; CloudException when they are fewer than promised."""
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    with transfer_line(size) as line:
        while part := source.read(CHUNK):
            target.write(part)
            digest.update(part)
            done += len(part)
            line.draw(min(1.0, done / size) if size else 1.0, f"{name}  {megabytes(done)} of {megabytes(size)}")
    if size and done != size:
        raise BadAnswer(f"{done} bytes arrived instead of {size}")
    return digest.hexdigest()


def transfer_line(size: int) -> Line:
    """The line that shows a transfer, for the large ones."""
    return Line(quiet=size < _SHOW_FROM)


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1_000_000:.1f} MB"


@contextmanager
def opened(path: str, *, headers: dict[str, str]) -> Iterator[tuple[Readable, int]]:
    """The bytes at this path of the service and how many they are, wherever it sends us for them."""
    with _client.stream("GET", path, headers=headers) as response:
        location = response.headers.get("location") if response.status in (301, 302, 303, 307, 308) else None
        if location is None:
            yield response, response.length or 0
            return
        response.read()
    # The key is for the service: it does not travel to the object store, whose URL is signed.
    with _direct("GET", location, headers=headers) as answer:
        yield answer, int(answer.headers.get("Content-Length") or 0)


def put_direct(url: str, *, method: str, headers: dict[str, str], upload: Upload) -> None:
    """Send a file to the object store itself, by a URL that is signed for it."""
    with _direct(method, url, headers={**headers, "Content-Length": str(upload.size)}, body=upload.parts()):
        pass


@contextmanager
def _direct(method: str, url: str, *, headers: dict[str, str], body: Iterator[bytes] | None = None) -> Iterator[Any]:
    # Imported for direct transfers only: most programs never make one.
    import urllib3  # noqa: PLC0415

    pool = _http_pool(urllib3)
    try:
        answer = pool.request(
            method, url, headers=headers, body=body, preload_content=False, redirect=False, retries=False,
            timeout=urllib3.Timeout(connect=10, read=_PART_SECONDS),
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as problem:
        raise BadAnswer(f"{urlsplit(url).netloc}: {problem}") from problem
    try:
        if answer.status >= 400:
            raise CloudException(
                f"The object store {urlsplit(url).netloc} answered {answer.status}: {answer.read(300)!r}",
                status="storage",
            )
        yield answer
    except urllib3.exceptions.HTTPError as problem:
        raise BadAnswer(f"{urlsplit(url).netloc}: {problem}") from problem
    finally:
        answer.release_conn()


_pools: list[Any] = []


def _http_pool(urllib3: Any) -> Any:
    if not _pools:
        _pools.append(urllib3.PoolManager(maxsize=8))
    return _pools[0]
