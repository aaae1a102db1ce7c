"""The work that is queued and that runs, with what it is expected to take."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from common.sql import fetch_all
from jobs.models import Job
from realtime.capacity.estimate import time_left
from realtime.capacity.snapshot import Work
from realtime.capacity.stats import Stats
from realtime.keys import Key, Likeness
from realtime.selectors.estimates import known_of, stats_of
from realtime.selectors.likeness import likeness_of

# A run of which nothing at all is known.
UNKNOWN = Stats(1, 60_000.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Groups of jobs that are alike; cores in use by the names of their hosts.

    `guessed` are core types of some of whose jobs nothing at all is known, not even what others take on them.
    """

    queued: list[Work]
    running: list[Work]
    busy: Mapping[str, int]
    guessed: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    host: str
    cores: int
    started_at: datetime


def backlog(now: datetime) -> Backlog:
    """All work of the installation. In as many rows as there are different functions, however many jobs."""
    groups, running = _queued_groups(), _running_jobs()
    alike = likeness_of([*(batch_id for batch_id, _ in groups), *running])
    known = stats_of(key for likeness in alike.values() for key in likeness.keys().values())
    return Backlog(
        queued=[
            _work(alike[batch_id], count, stats_for(alike[batch_id], known).mean / 1000)
            for batch_id, count in groups
            if batch_id in alike
        ],
        running=[
            _running_work(alike[batch_id], jobs, known, now) for batch_id, jobs in running.items() if batch_id in alike
        ],
        busy=_busy(running),
        guessed=frozenset(likeness.core_type for likeness in alike.values() if known_of(likeness, known) is None),
    )


def busy_cores() -> dict[str, int]:
    """Cores in use, by the names of their hosts."""
    return _busy(_running_jobs())


def _busy(running: Mapping[int, list[_Running]]) -> dict[str, int]:
    busy: Counter[str] = Counter()
    for jobs in running.values():
        for job in jobs:
            busy[job.host] += job.cores
    return busy


def stats_for(likeness: Likeness, known: Mapping[Key, Stats]) -> Stats:
    """What is known of runs like these, or a guess."""
    found = known_of(likeness, known)
    return found[1] if found else UNKNOWN


def _queued_groups() -> list[tuple[int, int]]:
    """One batch of each function, version and kind of cores that has queued jobs, and how many jobs those are."""
    rows = fetch_all(
        """
        SELECT MIN(id), SUM(n_queued) FROM jobs_batch WHERE n_queued > 0
        GROUP BY account_id, function_id, function_blob_id, core_type_id, cores
        """,
        [],
    )
    return [(batch_id, int(count)) for batch_id, count in rows]


def host_of(worker: str) -> str:
    """The host in the name of a worker's leases: name, port and slot."""
    return worker.rsplit(":", 2)[0]


def _running_jobs() -> dict[int, list[_Running]]:
    """By batch: one job of each worker. What it has claimed beside is over in a moment."""
    # Written out, because the index of running jobs is partial.
    is_running = RawSQL('"jobs_job"."status" = \'processing\'', [], output_field=BooleanField())
    rows = Job.objects.filter(is_running, started_at__isnull=False).order_by("-jid")
    columns = rows.values_list("worker", "batch_id", "cores", "started_at")
    by_worker = {worker: (batch_id, cores, started_at) for worker, batch_id, cores, started_at in columns}
    found: dict[int, list[_Running]] = defaultdict(list)
    for worker, (batch_id, cores, started_at) in by_worker.items():
        assert started_at is not None
        found[batch_id].append(_Running(host=host_of(worker), cores=cores, started_at=started_at))
    return found


def _work(likeness: Likeness, count: int, seconds: float, *, is_running: bool = False) -> Work:
    return Work(
        account=likeness.account_id,
        core_type=likeness.core_type,
        cores=likeness.cores,
        count=count,
        seconds=seconds,
        is_running=is_running,
    )


def _running_work(likeness: Likeness, jobs: list[_Running], known: Mapping[Key, Stats], now: datetime) -> Work:
    stats = stats_for(likeness, known)
    left = sum(time_left(stats, elapsed=(now - job.started_at) / timedelta(seconds=1)) for job in jobs)
    return _work(likeness, len(jobs), left / len(jobs), is_running=True)
