"""Reads of worker hosts. They are the operator's affair: no account owns one."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from realtime.host_states import ALIVE, HostState
from realtime.models import Host


def hosts_alive() -> QuerySet[Host]:
    """The machines that work, or are on their way."""
    return Host.objects.filter(state__in=ALIVE)


def recent_hosts(*, days: int = 7) -> QuerySet[Host]:
    """Those that are alive, and those that were within the last days."""
    since = timezone.now() - timedelta(days=days)
    return Host.objects.exclude(state=HostState.GONE, gone_at__lt=since)
