"""Reads of worker hosts. They are the operator's affair: no account owns one."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from realtime.host_states import ALIVE, HostState
from realtime.models import Host

# A machine that was ended may report for some seconds more, or for longer while its provider does not answer.
ENDS_WITHIN = timedelta(minutes=10)


def hosts_alive() -> QuerySet[Host]:
    """The machines that work, or are on their way."""
    return Host.objects.filter(state__in=ALIVE)


def just_ended(*, now: datetime) -> set[str]:
    """Names of rented machines that count as gone since some minutes ago, and may still report."""
    rows = Host.objects.filter(state=HostState.GONE, gone_at__gte=now - ENDS_WITHIN).exclude(reference="")
    return set(rows.values_list("name", flat=True))


def booting_for(core_type: str) -> list[Host]:
    """Machines on their way that are to serve a core type."""
    return [host for host in Host.objects.filter(state=HostState.BOOTING) if core_type in host.codes]


def recent_hosts(*, days: int = 7) -> QuerySet[Host]:
    """Those that are alive, and those that were within the last days."""
    since = timezone.now() - timedelta(days=days)
    return Host.objects.exclude(state=HostState.GONE, gone_at__lt=since)
