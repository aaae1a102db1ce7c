"""Learning run times from usage, which is read once and in its order."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from common.sql import db_time, execute_many, fetch_all, read_time
from jobs.models import Batch
from jobs.services.usage import usage_horizon
from realtime.capacity.estimate import Basis
from realtime.capacity.stats import Stats
from realtime.keys import Key, Likeness
from realtime.models import Quote, RunTime
from realtime.selectors.estimates import known_of, stats_of
from realtime.selectors.likeness import likeness_of
from realtime.services.cursors import cursor_at, move_cursor
from realtime.services.loads import Load, add_loads, forget_loads

logger = logging.getLogger(__name__)

CURSOR = "run times"
AT_ONCE = 5_000  # records of one transaction
# Of shorter calls nobody asks afterwards what had been expected, and a row for each would cost more than it tells.
QUOTED_MS = 1_000
# A version of a function that has not run for so long is not remembered; nor what was expected of old batches.
FORGET_AFTER = timedelta(days=365)


class _Run(NamedTuple):
    id: int
    batch_id: int
    load: Load
    is_done: bool


def learn() -> int:
    """Learn from every run that ended since the last time; answers how many. For the clock."""
    total, cursor = 0, cursor_at(CURSOR)
    horizon = usage_horizon(after=cursor)
    while cursor < horizon:
        runs = _read(cursor, horizon)
        # Up to the horizon nothing more will come, even where numbers were left out.
        last = runs[-1].id if len(runs) == AT_ONCE else horizon
        with transaction.atomic():
            if not move_cursor(CURSOR, before=cursor, after=last):
                logger.warning("another clock learns run times too")
                return total
            _learn_from(runs, timezone.now())
            add_loads(run.load for run in runs)
        total, cursor = total + len(runs), last
    return total


def _read(after: int, horizon: int) -> list[_Run]:
    """The next records, with whether the job returned: how long one took that failed or was killed says little."""
    rows = fetch_all(
        f"""
        SELECT used.id, used.batch_id, job.status = 'done', used.account_id, used.core_type_id, used.cores,
               used.started_at, used.run_ms, batch.label
        FROM jobs_usagerecord used
        LEFT JOIN jobs_job job ON job.account_id = used.account_id AND job.jid = used.jid
        LEFT JOIN jobs_batch batch ON batch.id = used.batch_id
        WHERE used.id > %s AND used.id <= %s ORDER BY used.id LIMIT {AT_ONCE}
        """,
        [after, horizon],
    )
    return [
        _Run(
            pk, batch_id, Load(account_id, core_type, cores, read_time(started_at), run_ms, label or ""), bool(is_done)
        )
        for pk, batch_id, is_done, account_id, core_type, cores, started_at, run_ms, label in rows
    ]


def _learn_from(runs: Sequence[_Run], now: datetime) -> None:
    took: dict[int, list[int]] = defaultdict(list)
    for run in runs:
        if run.is_done:
            took[run.batch_id].append(run.load.run_ms)
    alike = likeness_of(took)
    new = {batch_id: Stats.of(took[batch_id]) for batch_id in alike}
    known = stats_of({key for likeness in alike.values() for key in likeness.keys().values()})
    maps = set(Batch.objects.filter(pk__in=alike, is_map=True).values_list("pk", flat=True))
    quoted = {n: likeness for n, likeness in alike.items() if n in maps or sum(took[n]) >= QUOTED_MS}
    _quote(quoted, known, now)
    _merge(((alike[batch_id], stats) for batch_id, stats in new.items()), known, now)


def _quote(batches: Mapping[int, Likeness], known: Mapping[Key, Stats], now: datetime) -> None:
    """Write down what was known of these batches before they ran, unless that was done before."""
    rows = []
    for batch_id, likeness in batches.items():
        basis, stats = known_of(likeness, known) or ("", Stats())
        rows.append(Quote(batch_id=batch_id, basis=basis, n=stats.n, mean=stats.mean, m2=stats.m2, made_at=now))
    # One that began before this pass has its quote, made when less was known.
    Quote.objects.bulk_create(rows, ignore_conflicts=True)


def _merge(new: Iterable[tuple[Likeness, Stats]], known: Mapping[Key, Stats], now: datetime) -> None:
    sums: dict[tuple[Basis, Key], Stats] = defaultdict(Stats)
    for likeness, stats in new:
        for basis, key in likeness.keys().items():
            sums[basis, key] = sums[basis, key].with_(stats)
    execute_many(
        """
        INSERT INTO realtime_runtime (basis, account_id, function_id, version, core_type_id, cores, n, mean, m2,
                                      updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (account_id, function_id, version, core_type_id, cores)
        DO UPDATE SET n = excluded.n, mean = excluded.mean, m2 = excluded.m2, updated_at = excluded.updated_at
        """,
        [
            # The cursor keeps other writers out, so what was known is still so.
            (basis.value, *key, *known.get(key, Stats()).with_(stats), db_time(now))
            for (basis, key), stats in sums.items()
        ],
    )


def forget(now: datetime | None = None) -> int:
    """Remove what is known of versions that run no more, old quotes and old loads. For the clock."""
    edge = (now or timezone.now()) - FORGET_AFTER
    gone = RunTime.objects.filter(updated_at__lt=edge).delete()[0]
    gone += Quote.objects.filter(made_at__lt=edge).delete()[0]
    return gone + forget_loads(now or timezone.now())
