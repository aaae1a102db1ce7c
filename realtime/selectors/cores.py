"""The cores that there are."""

from django.conf import settings


def cores_for(core_type: str) -> int:
    """Cores that can take a job of this type now, busy or not."""
    return settings.WORKER_SLOTS if core_type in settings.CORE_TYPE_QUEUES else 0
