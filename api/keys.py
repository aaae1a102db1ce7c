"""API keys over HTTP."""

from django.http import HttpRequest, JsonResponse

from accounts import services
from accounts.models import ApiKey
from accounts.selectors import keys_of
from api.auth import Caller
from api.errors import api_view, parse_json
from common.exceptions import Refused


class Forbidden(Refused):
    status = 403


def describe(key: ApiKey) -> dict[str, object]:
    return {
        "api_key": key.pk,
        "note": key.note,
        "active": key.is_active,
        "created": key.created_at.isoformat(),
        "last_used": key.last_used_at and key.last_used_at.isoformat(),
    }


def _not_from_a_job(caller: Caller) -> None:
    """A job's token ends with the job; with it one must not make a key that lasts, or withdraw the owner's."""
    if caller.jid is not None:
        raise Forbidden("not_in_a_job", "A running job cannot change API keys. Do it with a key, or on the web page.")


@api_view("GET", "POST")
def keys(request: HttpRequest, caller: Caller) -> JsonResponse:
    if request.method == "POST":
        return _create(request, caller)
    return JsonResponse({"keys": [describe(key) for key in keys_of(caller.account)]})


def _create(request: HttpRequest, caller: Caller) -> JsonResponse:
    _not_from_a_job(caller)
    note = parse_json(request).get("note", "")
    if not isinstance(note, str):
        raise Refused("bad_note", "The note of a key must be text.")
    key, secret = services.create_api_key(user=caller.account, note=note)
    return JsonResponse({**describe(key), "api_secretkey": secret}, status=201)


@api_view("POST")
def deactivate(request: HttpRequest, caller: Caller, key_id: int) -> JsonResponse:
    _not_from_a_job(caller)
    return JsonResponse(describe(services.deactivate_key(user=caller.account, key_id=key_id)))


@api_view("POST")
def activate(request: HttpRequest, caller: Caller, key_id: int) -> JsonResponse:
    _not_from_a_job(caller)
    return JsonResponse(describe(services.activate_key(user=caller.account, key_id=key_id)))
