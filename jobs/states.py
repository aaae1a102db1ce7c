"""The life of a job: seven statuses, the moves between them, and why a move was made."""

from django.db.models import TextChoices


class Status(TextChoices):
    WAITING = "waiting"  # for the jobs it depends on, or until what holds it is lifted
    QUEUED = "queued"  # ready, not yet on a core
    PROCESSING = "processing"  # on a worker
    DONE = "done"  # the function returned
    ERROR = "error"  # the function raised, or its result could not be brought back
    KILLED = "killed"  # ended by its owner, a limit, or a lost worker
    STALLED = "stalled"  # never started: a job it depends on did not finish well


class Reason(TextChoices):
    """Why a job has the status it has, for programs; pages turn it into words."""

    NONE = ""
    EXCEPTION = "exception"  # the function raised
    BAD_RESULT = "bad_result"  # the result could not be pickled, or is over the limit
    EXITED = "exited"  # the process ended by itself: sys.exit, os._exit
    CRASHED = "crashed"  # the process died of a signal nobody here sent
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    MODULES = "modules"  # the modules sent along could not be unpacked
    SANDBOX = "sandbox"  # the sandbox could not be started or was lost
    USER = "user"
    MAX_RUNTIME = "max_runtime"
    COST_LIMIT = "cost_limit"  # its call or map has cost what its `_max_cost` allows
    WORKER_LOST = "worker_lost"
    DEPENDENCY = "dependency"
    BUDGET = "budget"  # held, or killed while it ran: a budget that it counts towards is spent
    CREDIT = "credit"  # held: the free credit of the month is used up
    BRAKE = "brake"  # held: far more was spent than usual


# The table is the truth: nothing changes a status except along it. There are two ways back. From processing
# to queued is a restart: the worker was lost, or gave back a job that it had not begun. From queued to waiting
# goes what is held for its cost.
MOVES: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.QUEUED, Status.STALLED, Status.KILLED}),
    Status.QUEUED: frozenset({Status.PROCESSING, Status.WAITING, Status.KILLED}),
    Status.PROCESSING: frozenset({Status.DONE, Status.ERROR, Status.KILLED, Status.QUEUED}),
    Status.DONE: frozenset(),
    Status.ERROR: frozenset(),
    Status.KILLED: frozenset(),
    Status.STALLED: frozenset(),
}

FINISHED = frozenset(status for status, after in MOVES.items() if not after)
UNFINISHED = frozenset(Status) - FINISHED
# A waiting job with one of these reasons is held: it is ready, and must not start yet.
HOLDING = frozenset({Reason.BUDGET, Reason.CREDIT, Reason.BRAKE})
# A dependency in one of these stalls those who wait for it, unless they said to ignore errors.
FAILED = FINISHED - {Status.DONE}


class BadMove(Exception):
    """Raised when code asks for a move that the table does not have. Always a defect of ours."""


def check_move(before: Status, after: Status) -> None:
    if after not in MOVES[before]:
        raise BadMove(f"a job cannot go from {before} to {after}")
