"""One way into every API view, and one shape for everything that goes wrong in it.

{"error": {"code": "file_unknown", "message": "One sentence.", ...details}}
"""

import json
import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from api.auth import caller_of
from common.exceptions import NotFound, Refused

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]

MAX_QUESTION = 1_000_000  # bytes of a request that only asks


class TooLarge(Refused):
    """The request has more bytes than are read of one like it."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            "too_large", f"The request is over the limit of {limit:,} bytes; cloud.files is for big data.", limit=limit
        )


def error_body(code: str, message: str, **details: object) -> dict[str, Any]:
    return {"error": {**details, "code": code, "message": message}}


def error_response(refusal: Refused) -> JsonResponse:
    """The answer that says why a request was refused."""
    body = error_body(refusal.code, refusal.message, **refusal.details)
    response = JsonResponse(body, status=refusal.status, json_dumps_params={"default": str})
    if refusal.status == 401:
        # Not "Basic": a browser would ask for the key, keep it, and send it from any page.
        response["WWW-Authenticate"] = 'ApiKey realm="PiCloud"'
    return response


def defect_response(method: str, path: str, error: Exception) -> JsonResponse:
    """The answer to a request that met a defect of ours, with a number by which the log tells it."""
    number = uuid.uuid4().hex[:12]
    logger.error("error %s in %s %r", number, method, path, exc_info=error)
    message = f"The server failed on this request. Its log has the reason under {number}."
    return JsonResponse(error_body("server_error", message, id=number), status=500)


def answer_to(method: str, path: str, error: Exception) -> JsonResponse:
    """The error answer for any exception of a view."""
    match error:
        case Refused():
            return error_response(error)
        case RequestDataTooBig():
            return error_response(TooLarge(settings.MAX_REQUEST))
        case BadRequest() | SuspiciousOperation():
            return error_response(Refused("bad_request", f"The request cannot be read: {error}"))
        case UnreadablePostError():
            return error_response(Refused("cut_off", "The request ended before all of it had arrived. Send it again."))
        case OperationalError() if "disk is full" in str(error) or "No space left" in str(error):
            logger.error("the database's disk is full: %s", error)
            refusal = Refused("disk_full", "The server's disk is full. Nothing was changed; tell its operator.")
            refusal.status = 507
            return error_response(refusal)
    return defect_response(method, path, error)


def api_view(*methods: str) -> Callable[[View], View]:
    """Make a view of `(request, caller, ...)`: checks method and key, and turns every exception into JSON."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                return _wrong_method(request, methods)
            try:
                return view(request, caller_of(request.headers.get("Authorization", "")), **kwargs)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets it as JSON and the log whole
                return answer_to(str(request.method), request.path, error)

        return wrapped

    return decorate


def _wrong_method(request: HttpRequest, methods: tuple[str, ...]) -> JsonResponse:
    message = f"{request.method} is not possible here; {' or '.join(methods)} is."
    return JsonResponse(error_body("method_not_allowed", message), status=405, headers={"Allow": ", ".join(methods)})


def parse_json(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that a request carries; {} when it carries nothing.

    Raises Refused when it is something else.
    """
    if len(request.body) > MAX_QUESTION:
        raise TooLarge(MAX_QUESTION)
    return parse_object(request.body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes; {} when there are none. Raises Refused."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json", f"The request is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Refused("bad_json", f"The request must be a JSON object, not a {type(value).__name__}.")
    return value


@csrf_exempt
def unknown_address(request: HttpRequest, **_parts: str) -> JsonResponse:
    """For addresses under /api/ that lead nowhere."""
    return error_response(NotFound("address_unknown", f"There is nothing at {request.path}; see /api/v1/openapi.json."))
