"""Why a job does not run yet: one sentence, and when it should start."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

import redis
from django.utils import timezone

from common.text import make_visible
from jobs.models import Batch, Dependency, Job
from jobs.selectors.holds import hold_on
from jobs.selectors.workers import Worker, live_workers
from jobs.services.dispatch import Group
from jobs.states import UNFINISHED, Status
from realtime.capacity.estimate import time_left
from realtime.capacity.turns import Busy, first_free, starts_in, with_own
from realtime.display.words import plural, seconds_of, soon
from realtime.host_states import HostState
from realtime.models import Host
from realtime.selectors.backlog import Backlog, backlog, stats_for
from realtime.selectors.estimates import stats_of
from realtime.selectors.hosts import hosts_alive
from realtime.selectors.likeness import likeness_of
from realtime.selectors.snapshot import rules_now

SECOND = timedelta(seconds=1)
NAMED = 3  # dependencies that a sentence names


class Cause(StrEnum):
    """What a job waits for, for programs."""

    DEPENDENCIES = "dependencies"
    HELD = "held"
    NO_WORKER = "no_worker"
    TOO_LARGE = "too_large"
    BOOTING = "booting"
    RESERVED = "reserved"
    TURNS = "turns"
    OWN_QUEUE = "own_queue"
    CORE = "core"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a job waits for, in a sentence; when it should start, where that can be told."""

    cause: Cause
    sentence: str
    starts_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A batch in the queue, in the order in which an account's jobs are taken."""

    batch_id: int
    priority: int
    first_jid: int
    queued: int
    cores: int
    seconds: float  # of one job


class Queue:
    """The queue of all, read once: it answers for as many jobs of an account as are asked."""

    def __init__(self, account_id: int, now: datetime | None = None) -> None:
        self._account_id = account_id
        self._now = now or timezone.now()

    def why(self, job: Job) -> Waiting | None:
        """Why the account's job does not run; None when it does, or is over."""
        if job.status == Status.WAITING:
            return self._held(job) or self._dependencies(job)
        return self._in_queue(job) if job.status == Status.QUEUED else None

    # -- before the queue ----------------------------------------------------------------------

    def _held(self, job: Job) -> Waiting | None:
        hold = hold_on(job)
        return Waiting(cause=Cause.HELD, sentence=make_visible(hold.sentence)) if hold else None

    def _dependencies(self, job: Job) -> Waiting:
        pending = Dependency.objects.filter(batch=job.batch_id, on_job__status__in=UNFINISHED)
        first = list(pending.select_related("on_job").order_by("on_job__jid")[: NAMED + 1])
        named = [f"job {one.on_job.jid} ({_doing(one.on_job)})" for one in first[:NAMED]]
        others = pending.count() - NAMED if len(first) > NAMED else 0
        if others:
            named.append(plural(others, "other job"))
        said = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        sentence = f"Waits for {said} to finish" if said else "Is about to be queued: what it waited for is over"
        left = self._left_of([one.on_job for one in first]) if len(first) <= NAMED else None
        if left is None:
            return Waiting(cause=Cause.DEPENDENCIES, sentence=f"{sentence}.")
        starts_at = self._now + timedelta(seconds=left)
        return Waiting(cause=Cause.DEPENDENCIES, sentence=f"{sentence}, {soon(left)}.", starts_at=starts_at)

    def _left_of(self, jobs: list[Job]) -> float | None:
        """Seconds until the last of them ends; None unless all of them run and runs like them are known."""
        if not jobs or any(job.status != Status.PROCESSING or job.started_at is None for job in jobs):
            return None
        alike = likeness_of({job.batch_id for job in jobs})
        known = stats_of(key for likeness in alike.values() for key in likeness.keys().values())
        left = []
        for job in jobs:
            assert job.started_at is not None
            if job.batch_id not in alike or not any(key in known for key in alike[job.batch_id].keys().values()):
                return None
            elapsed = (self._now - job.started_at) / SECOND
            left.append(time_left(stats_for(alike[job.batch_id], known), elapsed=elapsed))
        return max(left)

    # -- in the queue --------------------------------------------------------------------------

    def _in_queue(self, job: Job) -> Waiting:
        try:
            workers = self._workers_for(job.core_type_id)
        except redis.RedisError:
            sentence = "Redis does not answer, and without it no worker hears of the job: it starts when that is back."
            return Waiting(cause=Cause.NO_WORKER, sentence=sentence)
        able = [worker for worker in workers if not worker.problem]
        if not able:
            return self._no_worker(job, workers)
        group = Group(self._account_id, job.core_type_id)
        usable = [worker for worker in able if worker.group in (None, group)]
        if not usable:
            return self._reserved(job, len(able))
        most = _widest(usable)
        if job.cores > most:
            sentence = (
                f"Needs {job.cores} cores on one machine, and the largest that is here has {most}: it stays in the "
                "queue until there is a larger one."
            )
            return self._or_booting(job, Waiting(cause=Cause.TOO_LARGE, sentence=sentence), least=job.cores)
        return self._by_turns(job, usable)

    def _no_worker(self, job: Job, workers: list[Worker]) -> Waiting:
        if workers:
            problem = make_visible(workers[0].problem)
            return Waiting(cause=Cause.NO_WORKER, sentence=f"No worker for {job.core_type_id} can run jobs: {problem}")
        sentence = f"No worker for {job.core_type_id} is there: it starts when one reports."
        return self._or_booting(job, Waiting(cause=Cause.NO_WORKER, sentence=sentence), least=job.cores)

    def _reserved(self, job: Job, cores: int) -> Waiting:
        kind, be = plural(cores, f"{job.core_type_id} core"), "is" if cores == 1 else "are"
        sentence = f"{'The' if cores == 1 else 'All'} {kind} {be} reserved by others: it starts when one is released."
        return self._or_booting(job, Waiting(cause=Cause.RESERVED, sentence=sentence), least=job.cores)

    def _or_booting(self, job: Job, otherwise: Waiting, *, least: int) -> Waiting:
        boots = self._booting(job.core_type_id, least=least)
        if boots is None:
            return otherwise
        number, left = boots
        sentence = f"{plural(number, 'machine')} for {job.core_type_id} {'boots' if number == 1 else 'boot'}"
        starts_at = self._now + timedelta(seconds=left)
        return Waiting(
            cause=Cause.BOOTING, sentence=f"{sentence}, to be ready in about {seconds_of(left)}.", starts_at=starts_at
        )

    def _booting(self, core_type: str, *, least: int = 1) -> tuple[int, float] | None:
        """How many machines boot for a core type, and seconds until the first of them should be ready."""
        booting = [host for host in self._hosts if core_type in host.codes and host.slots >= least]
        if not booting:
            return None
        boot = rules_now().boot_seconds
        ages = [(self._now - host.launched_at) / SECOND for host in booting]
        return len(booting), max(1.0, boot - max(ages))

    def _by_turns(self, job: Job, workers: list[Worker]) -> Waiting:
        number, ahead, own = self._ahead(job)
        standard = [worker for worker in workers if worker.group is None]
        mine, cores = len(workers) - len(standard), len(workers)
        served = frozenset().union(*(worker.core_types for worker in standard))
        others = self._queued_of_others(served)
        free_in = first_free(self._running(served), cores=cores)
        left = None
        if standard:
            left = starts_in(ahead=ahead, own=own, others=others, cores=len(standard), free_in=free_in)
        if mine:
            left = with_own(left, ahead=ahead, own_cores=mine, free_in=free_in)
        assert left is not None
        cause = Cause.TURNS if others else Cause.OWN_QUEUE if number else Cause.CORE
        sentence = _turn(job, cause, number, len(others), cores)
        # By a mere guess nobody should plan the day.
        is_told = left < 1 or job.core_type_id not in self._work.guessed
        if is_told:
            sentence += f", and it should start {soon(left)}"
        boots = self._booting(job.core_type_id)
        if boots:
            more = plural(boots[0], "more machine")
            sentence += f"; {more} {'boots' if boots[0] == 1 else 'boot'}, to be ready in about {seconds_of(boots[1])}"
        starts_at = self._now + timedelta(seconds=left) if is_told else None
        return Waiting(cause=cause, sentence=f"{sentence}.", starts_at=starts_at)

    def _running(self, core_types: frozenset[str]) -> list[Busy]:
        works = (work for work in self._work.running if work.core_type in core_types)
        return [Busy(work.count * work.cores, work.seconds) for work in works]

    def _ahead(self, job: Job) -> tuple[int, float, float]:
        """How many of the account's jobs are taken before this one, their core-seconds, and those of the job."""
        number, work, own = 0, 0.0, 0.0
        for place in self._places[job.core_type_id, job.cores]:
            if place.batch_id == job.batch_id:
                own = place.seconds * place.cores
                # Those of a batch are taken in the order of their jids, so that those behind it are all queued.
                before = max(0, place.queued - 1 - (job.batch.size - 1 - job.index))
            elif (place.priority, place.first_jid) < (job.priority, job.batch.first_jid):
                before = place.queued
            else:
                continue
            number += before
            work += before * place.seconds * place.cores
        return number, work, own

    # -- read once -----------------------------------------------------------------------------

    @cached_property
    def _workers(self) -> list[Worker]:
        return live_workers()

    def _workers_for(self, core_type: str) -> list[Worker]:
        return [worker for worker in self._workers if core_type in worker.core_types and not worker.drained]

    @cached_property
    def _hosts(self) -> list[Host]:
        return list(hosts_alive().filter(state=HostState.BOOTING))

    @cached_property
    def _work(self) -> Backlog:
        return backlog(self._now)

    def _queued_of_others(self, core_types: frozenset[str]) -> list[float]:
        """Core-seconds in the queue, of each other account that has some."""
        found: dict[int, float] = defaultdict(float)
        for work in self._work.queued:
            if work.core_type in core_types and work.account != self._account_id:
                found[work.account] += work.count * work.cores * work.seconds
        return list(found.values())

    @cached_property
    def _places(self) -> dict[tuple[str, int], list[_Place]]:
        """The account's batches in the queue, by what they run on."""
        rows = list(Batch.objects.filter(account=self._account_id, n_queued__gt=0).order_by("priority", "first_jid"))
        alike = likeness_of(row.pk for row in rows)
        known = stats_of(key for likeness in alike.values() for key in likeness.keys().values())
        found: dict[tuple[str, int], list[_Place]] = defaultdict(list)
        for row in rows:
            if row.pk in alike:
                found[row.core_type_id, row.cores].append(
                    _Place(
                        batch_id=row.pk,
                        priority=row.priority,
                        first_jid=row.first_jid,
                        queued=row.n_queued,
                        cores=row.cores,
                        seconds=stats_for(alike[row.pk], known).mean / 1000,
                    )
                )
        return found


def _doing(job: Job) -> str:
    return {Status.WAITING: "waiting itself", Status.QUEUED: "queued", Status.PROCESSING: "running"}[Status(job.status)]


def _widest(workers: list[Worker]) -> int:
    """Slots of the machine that has most of them."""
    slots: dict[str, int] = defaultdict(int)
    for worker in workers:
        slots[worker.host] += 1
    return max(slots.values())


def _turn(job: Job, cause: Cause, ahead: int, others: int, cores: int) -> str:
    before = f"{plural(ahead, 'job')} of yours {'is' if ahead == 1 else 'are'} before it"
    match cause:
        case Cause.TURNS:
            turns = f"Takes turns with {plural(others, 'other account')} on {plural(cores, 'core')}"
            return f"{turns}; {before}" if ahead else turns
        case Cause.OWN_QUEUE:
            return f"Queues for {plural(cores, f'{job.core_type_id} core')}; {before}"
    needs = f"a free {job.core_type_id} core" if job.cores == 1 else f"{job.cores} {job.core_type_id} cores at once"
    return f"Is next for {needs}"
