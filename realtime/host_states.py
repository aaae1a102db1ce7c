"""The states of a worker host, and the only moves between them."""

from django.db import models


class HostState(models.TextChoices):
    BOOTING = "booting"  # asked of a provider; its workers have not reported yet
    READY = "ready"  # its workers report, and take work
    DRAINING = "draining"  # its workers finish what they run and take nothing new
    GONE = "gone"  # ended, lost, or never came


HOST_MOVES: dict[HostState, frozenset[HostState]] = {
    HostState.BOOTING: frozenset({HostState.READY, HostState.GONE}),
    HostState.READY: frozenset({HostState.DRAINING, HostState.GONE}),
    # A drain is called off when its cores are needed after all.
    HostState.DRAINING: frozenset({HostState.READY, HostState.GONE}),
    HostState.GONE: frozenset(),
}
ALIVE = frozenset(HostState) - {HostState.GONE}
