"""Files over HTTP: list, store, fetch whole or in part, delete; directly to and from S3 where that is used."""

import base64
import binascii
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from api.auth import Caller
from api.errors import api_view, parse_json
from common.exceptions import Refused
from storage import services
from storage.bucket import Readable
from storage.downloads import serve_file
from storage.models import StoredFile
from storage.selectors import files_of


class LengthRequired(Refused):
    status = 411


def describe(file: StoredFile) -> dict[str, object]:
    return {
        "name": file.name,
        "size": file.size,
        "md5": file.md5,
        "created": file.created_at.isoformat(),
        "modified": file.updated_at.isoformat(),
        "content_type": file.content_type,
    }


def announced_size(request: HttpRequest) -> int:
    """The length of the request's body, which must be said beforehand so that a cut-off upload is noticed."""
    text = request.headers.get("Content-Length", "")
    if not (text.isascii() and text.isdigit()):
        raise LengthRequired("length_required", "Send the size of the file in a Content-Length header.")
    return int(text)


def announced_md5(request: HttpRequest) -> str | None:
    """The sum of a Content-MD5 header in hexadecimal. The header has it in base 64; hexadecimal is taken too."""
    text = request.headers.get("Content-MD5", "").strip()
    if not text:
        return None
    try:
        raw = bytes.fromhex(text) if len(text) == 32 else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16:
        raise Refused("bad_md5", "Content-MD5 must be the 16 bytes of an MD5 sum in base 64.")
    return raw.hex()


def _straight_to_s3(caller: Caller) -> bool:
    """Whether this caller can be sent to the S3 service: a job cannot reach one on a private network."""
    return caller.jid is None or not settings.S3_ENDPOINT_URL


@api_view("GET")
def files(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    return JsonResponse({"files": [describe(file) for file in files_of(caller.account)]})


@api_view("GET", "HEAD", "PUT", "DELETE")
def file(request: HttpRequest, caller: Caller, name: str) -> HttpResponseBase:
    if request.method == "PUT":
        return _store(request, caller, name)
    if request.method == "DELETE":
        services.delete_file(account=caller.account, name=name)
        return HttpResponse(status=204)
    return serve_file(request, user=caller.account, name=name, may_link=_straight_to_s3(caller))


def _store(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    stored = services.save_file(
        account=caller.account,
        name=name,
        stream=cast(Readable, request),
        size=announced_size(request),
        content_type=request.headers.get("Content-Type", ""),
        md5=announced_md5(request),
    )
    return JsonResponse(describe(stored))


@api_view("POST")
def upload(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    """Say where the bytes of a file are to be sent: to us, or straight to the S3 service."""
    body = parse_json(request)
    size, content_type = body.get("size"), body.get("content_type", "")
    if type(size) is not int or not isinstance(content_type, str):
        raise Refused("bad_upload", "Give `size` as a whole number of bytes, and `content_type` as text.")
    prepared = services.prepare_direct_upload(account=caller.account, name=name, size=size, content_type=content_type)
    if prepared is None or not _straight_to_s3(caller):
        return JsonResponse({"direct": False})
    return JsonResponse(
        {"direct": True, "method": "PUT", "url": prepared.url, "headers": prepared.headers, "upload": prepared.token}
    )


@api_view("POST")
def finish(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    """Take the bytes that were sent to the S3 service as the file."""
    body = parse_json(request)
    token, md5 = body.get("upload"), body.get("md5") or ""
    if not isinstance(token, str) or not isinstance(md5, str):
        raise Refused("bad_upload", "Give `upload`, the token that the upload was prepared with, and `md5` as text.")
    stored = services.finish_direct_upload(account=caller.account, name=name, token=token, md5=md5.lower())
    return JsonResponse(describe(stored))
