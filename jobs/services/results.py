"""Reading what jobs left, for many jobs at once: the path of `cloud.result`, so in raw rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.exceptions import NotFound
from common.ranges import Range, count, ranges_of
from common.sql import fetch_all
from jobs.states import FINISHED
from storage.services import read_bytes

MOST_RANGES = 500  # in one condition; SQLite's depth of an expression is 1,000


@dataclass(kw_only=True)
class Standing:
    """Where the asked jobs are: how many in each status, and which have not finished."""

    counts: Counter[str]
    finished: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Results:
    """Rows [jid, status, reason, is_exception, size], the bytes in their order, and texts of what went wrong."""

    jobs: list[list[Any]] = field(default_factory=list)
    parts: list[bytes | memoryview] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    size: int = 0


def _conditions(ranges: Sequence[Range]) -> Iterator[tuple[str, list[int]]]:
    """Conditions with their parameters, one for each statement to ask: SQLite takes no long ones."""
    for start in range(0, len(ranges), MOST_RANGES):
        part = ranges[start : start + MOST_RANGES]
        clause = " OR ".join(["job.jid BETWEEN %s AND %s"] * len(part))
        yield f"({clause})", [end for pair in part for end in pair]


def standing_of(*, account_id: int, ranges: Sequence[Range]) -> Standing:
    """Statuses of the jobs with these jids. Raises NotFound, naming the first jid that the account does not have."""
    standing = Standing(counts=Counter())
    rows: list[tuple[int, str]] = []
    for where, params in _conditions(ranges):
        sql = f"SELECT job.jid, job.status FROM jobs_job job WHERE job.account_id = %s AND {where}"
        rows += fetch_all(sql, [account_id, *params])
    if len(rows) != count(ranges):
        _refuse_unknown({jid for jid, _ in rows}, ranges)
    for jid, status in rows:
        standing.counts[status] += 1
        (standing.finished if status in FINISHED else standing.pending).append(jid)
    return standing


def _refuse_unknown(there: set[int], ranges: Sequence[Range]) -> None:
    for first, last in ranges:
        for jid in range(first, last + 1):
            if jid not in there:
                raise NotFound("job_unknown", f"There is no job {jid}.", jid=jid)


def results_of(*, account_id: int, jids: Sequence[int], with_data: bool, max_bytes: int) -> Results:
    """Results of finished jobs in the order of their jids, until `max_bytes` is reached (one at least)."""
    results = Results()
    for condition in _conditions(ranges_of(jids)):
        for row in _result_rows(account_id, *condition):
            jid, status, reason, is_exception, size, inline, key, error_text = row
            if not with_data:
                size = 0
            if results.jobs and results.size + (size or 0) > max_bytes:
                return results
            results.jobs.append([jid, status, reason, bool(is_exception), size or 0])
            if error_text:
                results.errors[jid] = error_text
            if size:
                results.parts.append(read_bytes(key) if key else inline)
                results.size += size
    return results


def _result_rows(account_id: int, where: str, params: Sequence[int]) -> list[tuple[Any, ...]]:
    return fetch_all(
        f"""
        SELECT job.jid, job.status, job.reason, result.is_exception, result.size, result."inline", result."key",
               result.error_text
        FROM jobs_job job LEFT JOIN jobs_jobresult result ON result.job_id = job.id
        WHERE job.account_id = %s AND {where} ORDER BY job.jid
        """,
        [account_id, *params],
    )
