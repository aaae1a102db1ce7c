"""Every change to worker hosts: asked for, joined, drained, ended, and found missing.

What a provider is asked stands after the transaction that says so. A call that fails, or a process that dies in
between, leaves a row that says gone and a machine that still runs, or a machine without a row; `reap` finds both.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.exceptions import Conflict, Refused
from common.times import format_duration
from jobs.services import machines
from realtime.host_states import ALIVE, HOST_MOVES, HostState
from realtime.models import Host
from realtime.providers import Machine, ProviderFailed, current_provider
from realtime.selectors.backlog import busy_cores
from realtime.selectors.hosts import hosts_alive

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 1000
# A provider's list may not have the newest yet.
LISTED_WITHIN = timedelta(minutes=5)


class Launched(NamedTuple):
    """The hosts that are on their way, and why there are fewer than were asked for."""

    hosts: list[Host]
    problem: str


def launch(*, core_type: str, number: int) -> Launched:
    """Ask the provider for machines that serve a core type; it may give fewer, and says why."""
    if not 1 <= number <= MOST_AT_ONCE:
        raise Refused("bad_number", f"From 1 to {MOST_AT_ONCE} machines can be started at once, not {number}.")
    answer = current_provider().launch(core_type, number)
    hosts = [_adopt(machine) for machine in answer.machines]
    if hosts:
        logger.info("%d machines for %s are on their way: %s", len(hosts), core_type, ", ".join(map(str, hosts)))
    if answer.problem:
        logger.warning("%d of %d machines for %s: %s", len(hosts), number, core_type, answer.problem)
    return Launched(hosts, answer.problem)


def _adopt(machine: Machine) -> Host:
    """The row of a machine that the provider has started, made unless it is there."""
    provider = current_provider().name
    facts = {
        "core_types": machine.core_types,
        "slots": machine.slots,
        "launched_at": machine.launched_at,
        "price_micros_per_hour": machine.price_micros_per_hour,
        "is_spot": machine.is_spot,
    }
    with transaction.atomic():
        rows = Host.objects.select_for_update()
        # Another row may bear its name too, as when its workers went on reporting after it counted as gone.
        host = (
            rows.filter(provider=provider, reference=machine.reference).first()
            or rows.filter(name=machine.name, reference="", state__in=ALIVE).first()
        )
        if host is None:
            # Of two who note it at once, as after a launch while the list is compared, the second finds it.
            row = {**facts, "name": machine.name}
            return Host.objects.get_or_create(provider=provider, reference=machine.reference, defaults=row)[0]
        if not host.reference:
            # It joined before anybody had noted that it was started.
            Host.objects.filter(pk=host.pk).update(provider=provider, reference=machine.reference, **facts)
            host.refresh_from_db()
        return host


def drain(*, host: Host) -> None:
    """Let the host finish what it runs and take nothing new; a provider's machine is ended when it has.

    Raises Conflict when the host is not at work.
    """
    now = timezone.now()
    _move(host, HostState.DRAINING, drain_at=now)
    _give_order(host)


def keep(*, host: Host) -> None:
    """Call a drain off: the host takes work again. Raises Conflict when it is not draining."""
    if host.state != HostState.DRAINING:
        raise Conflict("not_draining", f"{host.name} is {host.state}: only a drain can be called off.")
    _move(host, HostState.READY, drain_at=None)
    machines.call_off_drain(host=host.name)


def note_joined(*, host: Host, at: datetime) -> None:
    """Its workers have reported for the first time."""
    _move(host, HostState.READY, joined_at=at)
    # A machine that bore this name before may have left its order behind.
    machines.call_off_drain(host=host.name)


def go_on_draining(*, host: Host, acknowledged: Sequence[str]) -> None:
    """Repeat the order, and end a provider's machine once each of its workers says that it runs nothing more.

    A worker that says nothing for a while may still run a job: the rows tell of that.
    """
    _give_order(host)
    if is_managed(host) and set(acknowledged) == {_order_of(host)} and not busy_cores().get(host.name):
        terminate(host=host)


def terminate(*, host: Host, problem: str = "") -> None:
    """Count the host as gone and end its machine, if it is a provider's. What it still ran runs again elsewhere."""
    _move(host, HostState.GONE, gone_at=timezone.now(), problem=problem[:500])
    if is_managed(host):
        _hold_back(host)
        _end_machines([host.reference])
        return
    try:
        machines.call_off_drain(host=host.name)
    except redis.RedisError as error:
        logger.warning("the order to drain %s expires by itself: %s", host, error)


def _hold_back(host: Host) -> None:
    """Let a machine that is being ended take nothing new in the seconds for which its workers still run."""
    try:
        _give_order(host)
    except redis.RedisError as error:
        logger.warning("%s may take work until it ends: %s", host, error)


def end(*, host: Host) -> None:
    """End a machine at once, at the word of an operator. Raises Conflict for one that only you can stop, or is gone."""
    if host.provider == "local" and host.state != HostState.GONE:
        raise Conflict("not_managed", f"{host.name} is a machine of your own: stop it there, or drain it first.")
    if not is_managed(host) and host.state != HostState.GONE:
        raise Conflict(
            "not_managed", f"{host.name} is {host.provider}'s, which PICLOUD_PROVIDER does not name: end it there."
        )
    terminate(host=host, problem="It was ended by an operator.")


def is_managed(host: Host) -> bool:
    """Whether the provider of this installation can end its machine."""
    return bool(host.reference) and host.provider == current_provider().name


def _end_machines(references: list[str]) -> None:
    try:
        current_provider().terminate(references)
    except ProviderFailed as failed:
        # Their rows say gone, so that the next look at the provider's list finds them.
        logger.error("machines still run, to be ended at the next try: %s", failed)


def _move(host: Host, to: HostState, **fields: object) -> None:
    """Take a host to another state, if nobody else did meanwhile."""
    before = HostState(host.state)
    if to not in HOST_MOVES[before]:
        raise Conflict("bad_move", f"{host.name} is {before} and cannot become {to}.")
    if not Host.objects.filter(pk=host.pk, state=before).update(state=to, **fields):
        raise Conflict("bad_move", f"{host.name} is no longer {before}: look at it again.")
    host.refresh_from_db()
    logger.info("host %s is %s%s", host, to, f": {host.problem}" if host.problem else "")


def _order_of(host: Host) -> str:
    """What tells this order from any other: when it was given first, or when its machine was ended at once."""
    since = host.drain_at or host.gone_at
    return str(since and since.timestamp())


def _give_order(host: Host) -> None:
    machines.order_drain(host=host.name, order=_order_of(host))


# -- what the provider's list says -------------------------------------------------------------


def reap() -> None:
    """Compare the provider's list with ours: adopt what it started for us, end what is ours no more."""
    try:
        listed = {machine.reference: machine for machine in current_provider().describe()}
    except ProviderFailed as failed:
        logger.error("the provider's machines are unknown for now: %s", failed)
        return
    now = timezone.now()
    _end_unwanted(listed.values())
    for host in hosts_alive().filter(provider=current_provider().name).exclude(reference=""):
        if host.reference in listed:
            _end_unless_joined(host, now=now)
        elif host.launched_at < now - LISTED_WITHIN:
            _settle(host, "Its provider has ended it.")


def _end_unwanted(listed: Iterable[Machine]) -> None:
    hosts = [_adopt(machine) for machine in listed]
    unwanted = [host for host in hosts if host.state == HostState.GONE]
    if not unwanted:
        return
    references = [host.reference for host in unwanted]
    logger.warning("machines of hosts that are gone still run and are ended: %s", ", ".join(references))
    for host in unwanted:
        _hold_back(host)
    _end_machines(references)


def _end_unless_joined(host: Host, *, now: datetime) -> None:
    limit = timedelta(seconds=settings.HOST_JOIN_SECONDS)
    if host.state == HostState.BOOTING and host.launched_at < now - limit:
        _settle(host, f"It did not join within {format_duration(limit)}.")


def _settle(host: Host, problem: str) -> None:
    try:
        terminate(host=host, problem=problem)
    except Conflict as moved:
        logger.info("%s", moved)
