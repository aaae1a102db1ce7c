"""What a core-hour costs now."""

from django.utils import timezone

from jobs.models import CorePrice


def price_now(core_type: str) -> int:
    """Millionths of a dollar per core-hour in force now; 0 for a type without a price."""
    price = CorePrice.objects.filter(core_type_id=core_type, effective_from__lte=timezone.now()).first()
    return price.micros if price else 0
