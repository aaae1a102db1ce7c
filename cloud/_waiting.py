"""join, result and their iterators: waiting for jobs and unpickling what they returned."""

import json
import pickle
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cloud import _client, _packs
from cloud._config import config, running_on_cloud
from cloud._errors import CloudException, CloudTimeoutError
from cloud._jids import Jids, Ranges, as_sequence, count, first_of, is_single, to_ranges, without, write
from cloud._progress import Progress

finished_statuses = ["done", "stalled", "error", "killed"]

_LONGEST_WAIT = 55.0
_WAIT_WITH_PROGRESS = 1.0
_DEADLOCK_SECONDS = 60.0
_ANSWER_BYTES = 32_000_000
_MOST_IN_PARALLEL = 1024
_MOST_JIDS = 10_000  # of one request
_SENTENCES = {
    "killed": "It was killed before it returned; its page on the dashboard says by whom or by what.",
    "stalled": "It never started, because a job that it depends on did not succeed.",
    "error": "It did not return a result.",
}


class Finished(NamedTuple):
    """A finished job as the service tells it; `blob` is the pickle of its result or of its exception."""

    jid: int
    status: str
    reason: str
    is_exception: bool
    blob: memoryview
    error: str

    def value(self) -> Any:
        """The result, unpickled; CloudException when the job did not succeed or its result cannot be read here."""
        if self.status != "done":
            raise self.failure()
        if not self.blob:
            return None
        try:
            return pickle.loads(self.blob)
        except Exception as problem:
            raise CloudException(
                f"its result cannot be unpickled here: {type(problem).__name__}: {problem}", jid=self.jid, status="done"
            ) from problem

    def failure(self) -> CloudException:
        """What to raise for a job that did not succeed; its cause is the remote exception where it can be rebuilt."""
        text = self.error or _SENTENCES.get(self.status, _SENTENCES["error"])
        failure = CloudException(text, jid=self.jid, status=self.status, reason=self.reason)
        if self.is_exception and self.blob:
            failure.__cause__ = _rebuilt(self.blob)
        return failure


def join(
    jids: Jids,
    timeout: float | None = None,
    ignore_errors: bool = False,  # noqa: FBT001, FBT002
    deadlock_check: bool = True,  # noqa: FBT001, FBT002
) -> None:
    """Wait until the jobs are finished; CloudException as soon as one of them is seen to have failed."""
    for finished in _wait_for(as_sequence(jids), timeout=timeout, deadlock_check=deadlock_check, data=False):
        if finished.status != "done" and not ignore_errors:
            raise _with_cause(finished)


def result(
    jids: Jids,
    timeout: float | None = None,
    ignore_errors: bool = False,  # noqa: FBT001, FBT002
    deadlock_check: bool = True,  # noqa: FBT001, FBT002
) -> Any:
    """What the job returned, or a list of what the jobs returned in the order of the ids, as soon as all are finished.

    CloudException as soon as one is seen to have failed; with ignore_errors the exception stands in the value's place.
    """
    asked = as_sequence(jids)
    values: dict[int, Any] = {}
    for finished in _wait_for(asked, timeout=timeout, deadlock_check=deadlock_check, data=True):
        try:
            values[finished.jid] = finished.value()
        except CloudException as failure:
            if not ignore_errors:
                raise
            values[finished.jid] = failure
    return values[asked[0]] if is_single(jids) else [values[jid] for jid in asked]


def iresult(
    jids: Jids,
    timeout: float | None = None,
    num_in_parallel: int = 10,
    ignore_errors: bool = False,  # noqa: FBT001, FBT002
) -> "Results":
    """An iterator over what the jobs returned, in order, that fetches up to num_in_parallel results ahead.

    The timeout is for each result. After a CloudException the iteration can go on with the next job.
    """
    ahead = num_in_parallel if 0 < num_in_parallel <= _MOST_IN_PARALLEL else _MOST_IN_PARALLEL
    return Results(as_sequence(jids), timeout=timeout, ahead=ahead, ignore_errors=ignore_errors)


def iresult_unordered(jids: Jids) -> Iterator[tuple[int, Any]]:
    """An iterator over (jid, what it returned) in the order in which jobs finish; failed jobs are left out."""
    for finished in _wait_for(as_sequence(jids), timeout=None, deadlock_check=True, data=True):
        if finished.status == "done":
            yield finished.jid, finished.value()


class Results(Iterator[Any]):
    """What `iresult` returns: unlike a generator it survives the exception of a failed job."""

    def __init__(self, jids: Sequence[int], *, timeout: float | None, ahead: int, ignore_errors: bool) -> None:
        self._jids = jids
        self._timeout = timeout
        self._ahead = ahead
        self._ignore_errors = ignore_errors
        self._next = 0
        self._fetched: dict[int, Finished] = {}

    def __iter__(self) -> "Results":
        return self

    def __next__(self) -> Any:
        if self._next >= len(self._jids):
            raise StopIteration
        jid = self._jids[self._next]
        if jid not in self._fetched:
            self._fetch(jid)
        self._next += 1
        finished = self._fetched[jid]
        if jid not in self._jids[self._next : self._next + self._ahead]:
            del self._fetched[jid]
        try:
            return finished.value()
        except CloudException as failure:
            if self._ignore_errors:
                return failure
            raise

    def _fetch(self, jid: int) -> None:
        window = self._jids[self._next : self._next + self._ahead]
        wanted = [other for other in window if other not in self._fetched]
        for batch in _batches(wanted, timeout=self._timeout, deadlock_check=True, data=True, quiet=True):
            self._fetched.update((finished.jid, finished) for finished in batch)
            if jid in self._fetched:
                return


class _Clock:
    """How long a wait may still take, and whether it can end at all."""

    def __init__(self, timeout: float | None, *, deadlock_check: bool) -> None:
        self._started = time.monotonic()
        self._timeout = timeout
        self._deadlock_check = deadlock_check
        self._moved = self._started
        self._queued: int | None = None
        self._answered = False

    def next_wait(self, longest: float) -> float:
        """How long the service may hold back its next answer."""
        longest = min(longest, _DEADLOCK_SECONDS / 4) if self._deadlock_check else longest
        return longest if self._timeout is None else max(0.0, min(longest, self._left(self._timeout)))

    @property
    def patience(self) -> float:
        """How long to try to reach the service: longer once it has answered, for it may be restarting."""
        patience = config.outage_seconds if self._answered else config.retry_seconds
        return patience if self._timeout is None else max(0.0, min(patience, self._left(self._timeout)))

    def check(self, pending: Ranges, counts: dict[str, int], *, moved: bool) -> None:
        """CloudTimeoutError when the time is over, or when this job and its children wait for each other."""
        self._answered = True
        if self._timeout is not None and self._left(self._timeout) <= 0:
            raise CloudTimeoutError(f"Not finished within {self._timeout:g} seconds: job {write(pending)}.")
        if self._deadlock_check:
            self._check_deadlock(pending, counts, moved=moved)

    def _check_deadlock(self, pending: Ranges, counts: dict[str, int], *, moved: bool) -> None:
        now = time.monotonic()
        queued = counts.get("queued", 0)
        if moved or queued == 0 or queued != self._queued or counts.get("processing"):
            self._moved, self._queued = now, queued
        if now - self._moved >= _DEADLOCK_SECONDS:
            raise CloudTimeoutError(
                f"No job of {write(pending)} has left the queue for {_DEADLOCK_SECONDS:g} seconds, and this job "
                "holds a core while it waits for them: perhaps every core waits like this. "
                "Return the job ids instead of waiting in a job, or pass deadlock_check=False."
            )

    def _left(self, timeout: float) -> float:
        return self._started + timeout - time.monotonic()


def _wait_for(jids: Sequence[int], *, timeout: float | None, deadlock_check: bool, data: bool) -> Iterator[Finished]:
    """Each of the jobs once, as soon as it is finished; CloudTimeoutError when that takes too long."""
    for batch in _batches(jids, timeout=timeout, deadlock_check=deadlock_check, data=data):
        yield from batch


def _batches(
    jids: Sequence[int], *, timeout: float | None, deadlock_check: bool, data: bool, quiet: bool = False
) -> Iterator[list[Finished]]:
    pending = to_ranges(jids)
    if not pending:
        return
    clock = _Clock(timeout, deadlock_check=deadlock_check and running_on_cloud())
    with Progress(count(pending), quiet=quiet) as progress:
        while pending:
            wait = clock.next_wait(_WAIT_WITH_PROGRESS if progress.is_shown else _LONGEST_WAIT)
            counts, batch = _ask(pending, wait=wait, data=data, patience=clock.patience)
            pending = without(pending, [finished.jid for finished in batch])
            progress.update(counts, pending)
            yield batch
            if pending:
                clock.check(pending, counts, moved=bool(batch))


def _ask(pending: Ranges, *, wait: float, data: bool, patience: float) -> tuple[dict[str, int], list[Finished]]:
    question = {"jids": first_of(pending, _MOST_JIDS), "wait": round(wait, 3), "data": data, "max_bytes": _ANSWER_BYTES}
    response = _client.request(
        "POST",
        "/api/v1/results",
        body=json.dumps(question, separators=(",", ":")).encode(),
        content_type="application/json",
        wait=wait,
        patience=patience,
    )
    header, body = _packs.decode(response.body)
    errors = header["errors"]
    batch: list[Finished] = []
    start = 0
    for jid, status, reason, is_exception, size in header["jobs"]:
        blob = body[start : start + size]
        start += size
        batch.append(Finished(jid, status, reason, is_exception, blob, errors.get(str(jid), "")))
    return header["counts"], batch


def _with_cause(finished: Finished) -> CloudException:
    """The failure with the remote exception, which a wait without data left on the service."""
    if not finished.is_exception:
        return finished.failure()
    _, again = _ask([[finished.jid, finished.jid]], wait=0, data=True, patience=config.retry_seconds)
    return (again or [finished])[0].failure()


def _rebuilt(blob: memoryview) -> BaseException | None:
    # Its class may exist only in the job's environment, and unpickling runs its code: then the text has to do.
    try:
        exception = pickle.loads(blob)
    except Exception:  # noqa: BLE001
        return None
    return exception if isinstance(exception, BaseException) else None
