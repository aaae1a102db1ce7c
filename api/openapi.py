"""The OpenAPI document of the API, made of the table of its operations; a test holds it against the addresses."""

import hashlib
import json
from collections import defaultdict
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from api.codes import ERRORS
from api.operations import OPERATIONS, Operation, answer
from api.schemas import SCHEMAS
from api.shapes import Schema, ref

CACHE_SECONDS = 300
UNAUTHORIZED = ("no_key", "bad_key", "key_inactive", "bad_token")
ANY = ("method_not_allowed", "server_error")
ABOUT = """\
Run Python functions on a cluster, and keep files there. Whatever goes wrong has one shape, the schema `Error`.

**Packs.** Functions, arguments and results are pickles, which the server stores and forwards and never opens. They
travel in a *pack* (`application/x-picloud-pack`): four bytes with the length of the header, big-endian; the header, a
JSON object in UTF-8; then the body, the blobs one after another, whose sizes the header has.

**Jobs** are named by their *jid*, a number that counts from 1 in each account. The jids of a map follow each other.
A job, file or key of somebody else is answered as if it did not exist.
"""


def _error_answers(operation: Operation) -> dict[str, Schema]:
    """One answer for each status, which lists the codes that it can have."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in (*(UNAUTHORIZED if "key" in operation.security else ()), *operation.errors, *ANY):
        by_status[ERRORS[code][0]].append(f"- `{code}`: {ERRORS[code][1]}")
    return {str(status): answer("\n".join(lines), ref("Error")) for status, lines in sorted(by_status.items())}


def _described(operation: Operation) -> Schema:
    parts: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": list(operation.parameters),
        "requestBody": operation.body,
    }
    succeeds = {str(status): found for status, found in operation.answers.items()}
    return {
        **{name: part for name, part in parts.items() if part},
        "responses": {**_error_answers(operation), **succeeds},
        "security": [{scheme: []} for scheme in operation.security],
    }


SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "basic", "description": "Number of an API key, and its secret as the password."},
    "job": {
        "type": "http",
        "scheme": "bearer",
        "description": "Token of a running job, for its account while it runs.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Session of somebody signed in on the dashboard.",
    },
}


@cache
def document() -> Schema:
    """The whole document."""
    paths: dict[str, Schema] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.server + operation.path][operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PiCloud", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {"schemas": SCHEMAS, "securitySchemes": SECURITY_SCHEMES},
    }


@cache
def _served() -> tuple[bytes, str]:
    body = json.dumps(document(), separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The document, for anybody: it tells nothing about this installation but its limits."""
    body, etag = _served()
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={CACHE_SECONDS}"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)
