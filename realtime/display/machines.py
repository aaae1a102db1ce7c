"""Lines of the list of machines."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.display.looks import Look
from realtime.host_states import HostState
from realtime.models import Host

LOOKS: dict[HostState, Look] = {
    HostState.BOOTING: Look("waiting", "Booting"),
    HostState.READY: Look("done", "Ready"),
    HostState.DRAINING: Look("stopping", "Draining"),
    HostState.GONE: Look("killed", "Gone"),
}


@dataclass(frozen=True)
class MachineRow:
    """What a line shows of one machine. `paid_until` is None for one of your own."""

    host: Host
    look: Look
    busy: int
    paid_until: datetime | None


def rows_of(hosts: list[Host], *, busy: dict[str, int], increment: float, now: datetime) -> list[MachineRow]:
    return [
        MachineRow(
            host=host,
            look=LOOKS[HostState(host.state)],
            busy=busy.get(host.name, 0),
            paid_until=_paid_until(host, increment, now) if host.reference else None,
        )
        for host in hosts
    ]


def _paid_until(host: Host, increment: float, now: datetime) -> datetime:
    age = max(0.0, (now - host.launched_at) / timedelta(seconds=1))
    return now + timedelta(seconds=increment - age % increment)
