"""Archives of modules over HTTP: which of them are stored, and storing one more."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from api.auth import Caller
from api.errors import api_view, parse_json
from api.files import announced_size
from common.exceptions import Refused
from jobs.services.modules import check_digests, missing_archives
from jobs.services.submission import Module
from storage.bucket import Readable
from storage.services import put_large_blob


class ArchiveTooLarge(Refused):
    status = 413


@api_view("POST")
def modules(request: HttpRequest, caller: Caller) -> JsonResponse:
    digests = check_digests(parse_json(request).get("digests"))
    return JsonResponse({"missing": missing_archives(account=caller.account, digests=digests)})


@api_view("PUT")
def archive(request: HttpRequest, caller: Caller, digest: str) -> HttpResponseBase:
    if not Module.is_digest(digest):
        raise Refused("bad_digest", "An archive is stored under the 64 hexadecimal digits of its SHA-256.")
    size = announced_size(request)
    if size > settings.MAX_ARCHIVE:
        raise ArchiveTooLarge(
            "archive_too_large",
            f"The archive has {size:,} bytes; {settings.MAX_ARCHIVE:,} is the limit. "
            "Use an environment that has these modules.",
        )
    put_large_blob(account=caller.account, stream=cast(Readable, request), size=size, digest=digest)
    return HttpResponse(status=204)
