"""A status in words, with the mark that goes with it."""

from dataclasses import dataclass

from jobs.models import Batch, Job
from jobs.states import FINISHED, Reason, Status

WORDS: dict[Status, str] = {
    Status.WAITING: "Waiting",
    Status.QUEUED: "Queued",
    Status.PROCESSING: "Running",
    Status.DONE: "Done",
    Status.ERROR: "Error",
    Status.KILLED: "Killed",
    Status.STALLED: "Stalled",
}

# The second word. A plain exception and a kill by the owner need none.
BECAUSE: dict[Reason, str] = {
    Reason.BAD_RESULT: "bad result",
    Reason.EXITED: "exited",
    Reason.CRASHED: "crashed",
    Reason.OUT_OF_MEMORY: "out of memory",
    Reason.OUT_OF_DISK: "out of disk",
    Reason.SANDBOX: "sandbox lost",
    Reason.MAX_RUNTIME: "max run time",
    Reason.COST_LIMIT: "max cost",
    Reason.WORKER_LOST: "worker lost",
    Reason.DEPENDENCY: "dependency",
    Reason.BUDGET: "budget",
    Reason.CREDIT: "credit",
    Reason.BRAKE: "brake",
}

# Not the user's doing: these carry a mark of their own.
INFRASTRUCTURE = frozenset({Reason.SANDBOX, Reason.WORKER_LOST})

# Which status a map is called by: the busiest while it runs, the worst when it is over.
WHILE_RUNNING = (Status.PROCESSING, Status.QUEUED, Status.WAITING)
WHEN_OVER = (Status.ERROR, Status.KILLED, Status.STALLED)


@dataclass(frozen=True)
class Look:
    """`mark` names an icon and a colour; `word` and `because` are read out."""

    mark: str
    word: str
    because: str = ""

    def __str__(self) -> str:
        return f"{self.word} · {self.because}" if self.because else self.word


def look_of(status: str, reason: str = "", *, stopping: bool = False) -> Look:
    """The look of a job that has this status for this reason."""
    known = Status(status)
    if stopping and known not in FINISHED:
        return Look("stopping", "Stopping")
    why = Reason(reason) if reason in Reason.values else Reason.NONE
    if known in FINISHED and why in INFRASTRUCTURE:
        return Look("lost", WORDS[known], BECAUSE[why])
    return Look(known.value, WORDS[known], BECAUSE.get(why, ""))


def look_of_job(job: Job) -> Look:
    return look_of(job.status, job.reason, stopping=job.kill_requested_at is not None)


def look_of_map(batch: Batch) -> Look:
    """One look for many jobs: what is going on, else the worst that happened and how often."""
    counts = batch.counts
    if counts[Status.QUEUED] and batch.n_finished:
        # Between two chunks nothing is on a core for a moment, but it is on its way.
        return look_of(Status.PROCESSING)
    for status in WHILE_RUNNING:
        if counts[status]:
            return look_of(status)
    if batch.received < batch.size:
        return Look("waiting", "Arriving")
    for status in WHEN_OVER:
        if counts[status]:
            return Look(status.value, WORDS[status], f"{counts[status]:,} of {batch.size:,}")
    return look_of(Status.DONE)
