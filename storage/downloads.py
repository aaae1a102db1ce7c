"""Files as HTTP answers: whole, in part, or by a link to where they lie.

What people store is served so that a browser keeps it as a file and never runs it as a page of ours.
"""

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date

from accounts.models import User
from storage import selectors
from storage.bucket import DirectBucket, ObjectMissing, bucket, direct_bucket
from storage.models import StoredFile
from storage.services import count_transfer

ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
LINK_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to and without `end`."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """Raised when a range begins behind the end of the file."""


def span_of(header: str, size: int) -> Span | None:
    """The one range that a Range header asks for; None when it asks for none, several, or makes no sense.

    Raises Unsatisfiable.
    """
    match = ONE_RANGE.fullmatch(header.strip())
    first, last = match.groups() if match else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return Span(start, end)


def serve_file(request: HttpRequest, *, user: User, name: str, may_link: bool = True) -> HttpResponseBase:
    """The user's file of that name. With `may_link`, S3 answers for itself, at an address that expires.

    Raises NotFound for a stranger's file.
    """
    file = selectors.file_for(user, name)
    store = direct_bucket() if may_link else None
    if store and request.method == "GET":
        count_transfer(user.pk, went=_asked(request, file))
        return HttpResponseRedirect(presigned_download(store, file))
    try:
        return _answer(request, file)
    except ObjectMissing:
        # It was replaced between reading its row and opening its bytes.
        return _answer(request, selectors.file_for(user, name))


def _asked(request: HttpRequest, file: StoredFile) -> int:
    """How many bytes S3 will answer, as far as the request tells."""
    try:
        span = span_of(request.headers.get("Range", ""), file.size)
    except Unsatisfiable:
        return 0
    return file.size if span is None else span.end - span.start


def presigned_download(store: DirectBucket, file: StoredFile) -> str:
    """An address from which anyone who has it gets this file, for a quarter of an hour."""
    return store.presign(
        "get_object",
        file.key,
        expires=LINK_SECONDS,
        ResponseContentType=file.content_type,
        ResponseContentDisposition=_disposition(file),
    )


def _answer(request: HttpRequest, file: StoredFile) -> HttpResponseBase:
    etag = f'"{file.key.rsplit("/", 1)[-1]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    try:
        # A download that goes on must not go on with another version of the file.
        wanted = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
        span = span_of(wanted, file.size)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
    headers = _headers(file) | {"ETag": etag}
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    return _body(request, file, span or Span(0, file.size), headers, status=200 if span is None else 206)


def _body(
    request: HttpRequest, file: StoredFile, span: Span, headers: dict[str, str], *, status: int
) -> HttpResponseBase:
    headers["Content-Length"] = str(span.end - span.start)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    chunks = bucket().read_stream(file.key, span.start, span.end)
    count_transfer(file.account_id, went=span.end - span.start)
    return StreamingHttpResponse(chunks, status=status, headers=headers)


def _headers(file: StoredFile) -> dict[str, str]:
    return {
        "Content-Type": file.content_type,
        "Content-Disposition": _disposition(file),
        "Accept-Ranges": "bytes",
        "Last-Modified": http_date(file.updated_at.timestamp()),
        "X-PiCloud-MD5": file.md5,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
    }


def _disposition(file: StoredFile) -> str:
    return content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
