"""What the workers' own reports say about the hosts they are on."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import Conflict
from common.times import format_duration
from jobs.selectors.workers import Worker, live_workers
from realtime.host_states import HostState
from realtime.models import Host
from realtime.selectors.hosts import hosts_alive, just_ended
from realtime.services import hosts

logger = logging.getLogger(__name__)

SEEN_EVERY = timedelta(seconds=10)  # how often a host's row is written when nothing changes
LONGEST_GAP_S = 15.0  # between two looks, above which it counts as not having looked


class Watch:
    """For how long this process has looked at the reports without a gap: silence before that means nothing."""

    def __init__(self) -> None:
        self._last = self._since = float("-inf")

    def look(self) -> timedelta:
        now = time.monotonic()
        if now - self._last > LONGEST_GAP_S:
            self._since = now
        self._last = now
        return timedelta(seconds=now - self._since)


_watch = Watch()


def note_reports(*, watch: Watch = _watch) -> None:
    """Note which hosts have joined, what they serve, which are drained, and which have been silent for too long."""
    workers: dict[str, list[Worker]] = defaultdict(list)
    for worker in live_workers():
        workers[worker.host].append(worker)
    watched = watch.look()
    now = timezone.now()
    alive = {host.name: host for host in hosts_alive()}
    for name in workers.keys() - alive.keys() - just_ended(now=now):
        _note_new(name, workers[name], now=now)
    _note_seen([host for name, host in alive.items() if name in workers], now=now)
    for host in alive.values():
        try:
            _note(host, workers.get(host.name, []), now=now, watched=watched)
        except Conflict as moved:
            logger.info("%s", moved)


def _note_seen(seen: Sequence[Host], *, now: datetime) -> None:
    """In one statement, however many hosts there are."""
    old = [host.pk for host in seen if host.seen_at is None or now - host.seen_at >= SEEN_EVERY]
    if old:
        Host.objects.filter(pk__in=old).update(seen_at=now)


def _facts(workers: Sequence[Worker]) -> dict[str, object]:
    core_types = sorted({code for worker in workers for code in worker.core_types})
    problems = sorted({worker.problem for worker in workers if worker.problem})
    return {"core_types": ",".join(core_types), "slots": len(workers), "problem": " ".join(problems)[:500]}


def _note_new(name: str, workers: Sequence[Worker], *, now: datetime) -> None:
    """A machine that nobody has asked a provider for: one of your own."""
    try:
        with transaction.atomic():
            Host.objects.create(
                provider="local", name=name, state=HostState.READY, launched_at=now, joined_at=now, seen_at=now,
                **_facts(workers),
            )  # fmt: skip
    except IntegrityError:
        logger.info("host %s was noted by another clock", name)
    else:
        logger.info("host %s has joined", name)


def _note(host: Host, workers: Sequence[Worker], *, now: datetime, watched: timedelta) -> None:
    if not workers:
        _note_silence(host, now=now, watched=watched)
        return
    if host.state == HostState.BOOTING:
        hosts.note_joined(host=host, at=now)
    facts = _facts(workers)
    if host.reference:
        # What was rented has its cores from the start, though their workers report one after the other.
        del facts["slots"]
    if any(getattr(host, name) != value for name, value in facts.items()):
        Host.objects.filter(pk=host.pk).update(**facts)
    if host.state == HostState.DRAINING:
        hosts.go_on_draining(host=host, acknowledged=[worker.drained for worker in workers])


def _note_silence(host: Host, *, now: datetime, watched: timedelta) -> None:
    """One that has not joined yet is `reap`'s affair."""
    limit = timedelta(seconds=settings.HOST_LOST_SECONDS)
    if host.seen_at is None or now - host.seen_at < limit or watched < limit:
        return
    expected = host.state == HostState.DRAINING
    silence = f"Its workers have not reported for {format_duration(limit)}."
    hosts.terminate(host=host, problem="" if expected else silence)
