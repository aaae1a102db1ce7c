"""What the autoscaler is shown, read from the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from django.conf import settings

from jobs.models import CoreType, Dedication
from realtime.capacity.snapshot import Floor, Machine, MachineState, Rules, Snapshot
from realtime.host_states import HostState
from realtime.models import Host
from realtime.providers import current_provider
from realtime.selectors.backlog import backlog, host_of
from realtime.selectors.hosts import hosts_alive
from realtime.selectors.reservations import open_reservations

INTERVAL = 10.0  # seconds between two decisions
# Until machines have been seen to start.
BOOT_SECONDS = 240.0
BOOTS_SEEN = 20
STATES: dict[HostState, MachineState] = {
    HostState.BOOTING: "booting",
    HostState.READY: "ready",
    HostState.DRAINING: "draining",
}


class IdleWatch:
    """Since when each machine has been idle, as far as this process has seen."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def look(self, hosts: Sequence[Host], busy: Mapping[str, int], now: datetime) -> dict[str, float]:
        """Seconds by name."""
        idle = {host.name for host in hosts if not busy.get(host.name)}
        self._since = {name: self._since.get(name, now) for name in idle}
        return {name: (now - since) / timedelta(seconds=1) for name, since in self._since.items()}


def core_type_codes() -> list[str]:
    """The core types that have a queue."""
    active = CoreType.objects.filter(is_active=True).values_list("code", flat=True)
    return [code for code in active if code in settings.CORE_TYPE_QUEUES]


def take_snapshot(*, watch: IdleWatch, expected: Mapping[str, Sequence[float]], now: datetime) -> Snapshot:
    """The installation at this moment. `expected` are the busy cores that load to come needs, by core type."""
    work, hosts, codes = backlog(now), list(hosts_alive()), core_type_codes()
    provider = current_provider()
    offers = {code: provider.offer(code) for code in codes}
    rules = rules_now()
    idle = watch.look(hosts, work.busy, now)
    reserved = {host_of(worker) for worker in Dedication.objects.values_list("worker", flat=True)}
    return Snapshot(
        core_types=codes,
        queued=work.queued,
        running=work.running,
        expected=expected,
        reserved=_floors(now, rules),
        machines=[
            machine_of(host, rules, busy=work.busy, idle=idle, is_reserved=host.name in reserved, now=now)
            for host in hosts
        ],
        shapes={code: offer.slots for code, offer in offers.items() if offer is not None},
        rules=rules,
    )


def _floors(now: datetime, rules: Rules) -> list[Floor]:
    """What is reserved, or will be by the time that a machine started now is ready."""
    ahead = timedelta(seconds=max(float(settings.REALTIME_LEAD_SECONDS), rules.boot_seconds + INTERVAL))
    return [
        Floor(account=row.account_id, core_type=row.core_type_id, cores=row.cores)
        for row in open_reservations()
        if row.starts_at <= now + ahead
    ]


def rules_now() -> Rules:
    """How machines are paid for, and how long they have taken to start."""
    return Rules(
        increment=float(settings.BILLING_INCREMENT),
        boot_seconds=_boot_seconds(),
        interval=INTERVAL,
        max_machines=settings.MAX_HOSTS,
    )


def _boot_seconds() -> float:
    started = Host.objects.exclude(reference="").filter(joined_at__isnull=False).order_by("-pk")[:BOOTS_SEEN]
    took = [(joined_at - launched_at) / timedelta(seconds=1) for joined_at, launched_at in _times(started)]
    return fmean(took) if took else BOOT_SECONDS


def _times(hosts: Iterable[Host]) -> list[tuple[datetime, datetime]]:
    # A clock that was set back between the two is no start in no time.
    return [
        (host.joined_at, host.launched_at) for host in hosts if host.joined_at and host.joined_at > host.launched_at
    ]


def machine_of(
    host: Host,
    rules: Rules,
    *,
    busy: Mapping[str, int],
    idle: Mapping[str, float],
    is_reserved: bool,
    now: datetime,
) -> Machine:
    """A host as the autoscaler sees it."""
    age = max(0.0, (now - host.launched_at) / timedelta(seconds=1))
    return Machine(
        name=host.name,
        core_types=tuple(host.codes),
        slots=host.slots,
        state=STATES[HostState(host.state)],
        busy=busy.get(host.name, 0),
        paid_for=rules.increment - age % rules.increment,
        idle_for=idle.get(host.name, 0.0),
        boot_left=max(0.0, rules.boot_seconds - age) if host.state == HostState.BOOTING else 0.0,
        is_own=not host.reference,
        is_reserved=is_reserved,
    )
