"""Reads of brakes. Their owner sees them, and operators see all."""

from django.db.models import QuerySet

from accounts.models import User
from billing.models import Brake
from common.exceptions import NotFound

BIGGEST = 2**63 - 1


def brake_for(user: User, number: int, *, locked: bool = False) -> Brake:
    """The brake of this number, for its owner or an operator. Raises NotFound for anybody else."""
    brakes: QuerySet[Brake] = Brake.objects.select_for_update() if locked else Brake.objects.all()
    if not user.is_staff:
        brakes = brakes.filter(account=user)
    brake = brakes.filter(pk=min(number, BIGGEST)).first()
    if brake is None:
        raise NotFound("brake_unknown", f"There is no brake {number} in this account.")
    return brake
