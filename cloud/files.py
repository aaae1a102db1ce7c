"""Files kept by the service: `cloud.files.put('film.avi')` here, `cloud.files.get('film.avi')` in a job."""

import builtins
import errno
import hashlib
import io
import json
import mimetypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from cloud import _client, _transfer
from cloud._config import config
from cloud._errors import CloudException

__all__ = ["delete", "exists", "get", "get_md5", "getf", "list", "put", "putf", "sync_from_cloud", "sync_to_cloud"]

Names = builtins.list[str]

_MEMORY = 8_000_000
_OF_THE_TARGET = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


def put(source: str | os.PathLike[str], name: str | None = None) -> None:
    """Store the file at the path `source` under `name`, by default its own; an older file of that name is replaced."""
    path = Path(source)
    with path.open("rb") as file:
        _store(file, name if name is not None else path.name)


def putf(f: IO[bytes] | bytes | str, name: str) -> None:
    """Store what can be read from the binary file `f`, or the bytes or the text `f` itself, under `name`."""
    if isinstance(f, str | bytes):
        _store(io.BytesIO(f.encode() if isinstance(f, str) else f), name)
        return
    if not hasattr(f, "read"):
        raise TypeError(f"cloud.files.putf takes an open binary file, bytes or text, not {f!r}.")
    with _seekable(f) as file:
        _store(file, name)


def get(
    name: str,
    destination: str | os.PathLike[str] | IO[bytes] | None = None,
    start_byte: int = 0,
    end_byte: int | None = None,
) -> None:
    """Write the stored file to a path, by default `name` in the current directory, or to an open binary file.

    Of a part, end_byte is the first byte left out. A path is replaced only when everything has arrived intact.
    """
    if destination is not None and not isinstance(destination, str | os.PathLike):
        with getf(name, start_byte, end_byte) as file:
            shutil.copyfileobj(file, destination, _transfer.CHUNK)
        return
    path = Path(destination if destination is not None else name)
    if path.is_dir():
        path = path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:50]}.{os.urandom(6).hex()}.part")
    try:
        with part.open("xb") as file:
            _fetch(name, file, start_byte=start_byte, end_byte=end_byte)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def getf(name: str, start_byte: int = 0, end_byte: int | None = None) -> IO[bytes]:
    """The stored file, or a part of it, as an open binary file: in memory when small, else in a temporary file."""
    file = tempfile.SpooledTemporaryFile(max_size=_MEMORY)  # noqa: SIM115 - the caller closes it
    try:
        _fetch(name, file, start_byte=start_byte, end_byte=end_byte)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def list() -> Names:  # noqa: A001
    """The names of all stored files, in order."""
    return [str(row["name"]) for row in _client.request_json("GET", "/api/v1/files")["files"]]


def exists(name: str) -> bool:
    """Whether a file of this name is stored."""
    return _look(name) is not None


def delete(name: str) -> None:
    """Remove the stored file; CloudException when there is none."""
    _client.request_json("DELETE", _path(name))


def get_md5(name: str) -> str:
    """The MD5 of the stored file as 32 hexadecimal digits; CloudException when there is none."""
    found = _look(name)
    if found is None:
        raise CloudException(
            f"There is no file {name!r}: cloud.files.list() names what there is.", status="file_unknown"
        )
    return found


def sync_to_cloud(source: str | os.PathLike[str], name: str | None = None) -> None:
    """Store the file unless the very same bytes are stored under that name already."""
    path = Path(source)
    name = name if name is not None else path.name
    if _look(name) != _file_md5(path):
        put(path, name)


def sync_from_cloud(name: str, destination: str | os.PathLike[str] | None = None) -> None:
    """Fetch the stored file unless the very same bytes are at the destination already."""
    path = Path(destination if destination is not None else name)
    if not path.is_file() or get_md5(name) != _file_md5(path):
        get(name, path)


def _store(file: IO[bytes], name: str) -> None:
    upload = _transfer.Upload(file, _checked(name))
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    plan = _client.request_json("POST", f"{_path(name)}/upload", {"size": upload.size, "content_type": kind})
    if plan.get("direct"):
        _store_directly(upload, name, plan)
        return
    headers = {"Content-Type": kind, "Content-Length": str(upload.size)}
    answer = _client.request("PUT", _path(name), body=upload.parts, headers=headers)
    _check_md5(upload.md5, _md5_in(answer.body), name)


def _store_directly(upload: _transfer.Upload, name: str, plan: dict[str, Any]) -> None:
    retries = _client.Retries(config.retry_seconds)
    while True:
        try:
            _transfer.put_direct(plan["url"], method=plan["method"], headers=plan["headers"], upload=upload)
            break
        except OSError as problem:
            if not retries.again():
                raise _cut_off(name, problem) from problem
    _client.request_json("POST", f"{_path(name)}/finish", {"upload": plan["upload"], "md5": upload.md5})


def _fetch(name: str, target: Any, *, start_byte: int, end_byte: int | None) -> None:
    if start_byte < 0 or (end_byte is not None and end_byte < start_byte):
        raise ValueError(f"There are no bytes from {start_byte} to {end_byte}.")
    if end_byte == start_byte:
        return
    is_whole = start_byte == 0 and end_byte is None
    headers = {} if is_whole else {"Range": f"bytes={start_byte}-{'' if end_byte is None else end_byte - 1}"}
    retries = _client.Retries(config.retry_seconds)
    while True:
        try:
            with _transfer.opened(_path(name), headers=headers) as (source, size):
                _transfer.copy(source, target, size=size, name=name)
                return
        except OSError as problem:
            if problem.errno in _OF_THE_TARGET:
                raise  # Another try would not make room for it.
            if not retries.again():
                raise _cut_off(name, problem) from problem
            target.seek(0)
            target.truncate()


def _look(name: str) -> str | None:
    """The MD5 of the stored file, None when there is none."""
    try:
        answer = _client.request("HEAD", _path(name))
    except CloudException as refusal:
        # The answer to HEAD has no body that could hold another code.
        if refusal.status == "404":
            return None
        raise
    return str(answer.headers.get("x-picloud-md5", ""))


def _checked(name: str) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"A stored file has a name, and {name!r} is none.")
    return name


def _path(name: str) -> str:
    try:
        return f"/api/v1/files/{quote(_checked(name), safe='')}"
    except UnicodeEncodeError as problem:
        raise ValueError(f"{name!r} cannot be the name of a stored file: it is no valid Unicode.") from problem


def _md5_in(body: bytes) -> str:
    return str(json.loads(body).get("md5") or "")


def _check_md5(sent: str, stored: str, name: str) -> None:
    if stored and sent != stored:
        raise CloudException(f"{name!r} changed on its way: MD5 {sent} was sent, {stored} is stored. Send it again.")


def _cut_off(name: str, problem: Exception) -> CloudException:
    sentence = f"The transfer of {name!r} was cut off ({problem}): try again."
    return CloudException(sentence, status="unreachable", retry=True)


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    if getattr(file, "seekable", lambda: False)():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, _transfer.CHUNK)
        copy.seek(0)
        yield copy


def _file_md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
