"""What a client may know of its account, and of what it can run on."""

from decimal import Decimal

from django.http import HttpRequest, JsonResponse

from accounts.models import User
from api.auth import Caller
from api.errors import api_view
from common.exceptions import NotFound
from common.money import MICROS_PER_DOLLAR
from environments.models import Environment
from jobs.models import CoreType
from jobs.services.work import prices_now


@api_view("GET")
def account(request: HttpRequest, caller: Caller) -> JsonResponse:
    # The key brought only what every request needs.
    user = User.objects.get(pk=caller.account.pk)
    return JsonResponse(
        {
            "username": user.username,
            "email": user.email,
            "time_zone": user.time_zone,
            "joined": user.date_joined.isoformat(),
        }
    )


def _dollars(micros: int) -> str:
    """As text: an amount of money is exact."""
    return f"{(Decimal(micros) / MICROS_PER_DOLLAR).normalize():f}"


def _core_type(core_type: CoreType) -> dict[str, object]:
    price = prices_now(core_type.code)
    return {
        "code": core_type.code,
        "description": core_type.description,
        "compute_units": float(core_type.compute_units),
        "memory_mb": core_type.memory_mb,
        "disk_mb": core_type.disk_mb,
        "allowed_cores": core_type.allowed_cores,
        "dollars_per_core_hour": _dollars(price.standard),
        "dollars_per_reserved_core_hour": _dollars(price.reserved),
    }


@api_view("GET")
def core_types(request: HttpRequest, _caller: Caller) -> JsonResponse:
    """The core types that new jobs may use, with the price of this moment."""
    return JsonResponse({"core_types": [_core_type(row) for row in CoreType.objects.filter(is_active=True)]})


def _environment(environment: Environment) -> dict[str, object]:
    return {
        "name": environment.name,
        "python": environment.python,
        "size": environment.size_bytes,
        "built": environment.built_at.isoformat(),
        "platform": environment.platform,
        "packages": environment.packages,
    }


@api_view("GET")
def environments(request: HttpRequest, _caller: Caller) -> JsonResponse:
    return JsonResponse({"environments": [_environment(row) for row in Environment.objects.all()]})


@api_view("GET")
def environment(request: HttpRequest, _caller: Caller, name: str) -> JsonResponse:
    found = Environment.objects.filter(name=name).first()
    if found is None:
        raise NotFound("unknown_environment", f"There is no environment {name!r}; GET /environments lists them.")
    return JsonResponse(_environment(found))
