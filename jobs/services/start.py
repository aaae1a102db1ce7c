"""Where new jobs, and those whose dependencies are over, begin."""

from collections.abc import Iterable
from typing import NamedTuple

from jobs.models import Batch, Hold
from jobs.states import Reason, Status


class Start(NamedTuple):
    """A status with its reason, and what their story says of it."""

    status: Status
    reason: Reason = Reason.NONE
    detail: str = ""


QUEUED = Start(Status.QUEUED)
WAITING = Start(Status.WAITING)
STALLED = Start(Status.STALLED, Reason.DEPENDENCY)


def holds_of(account_id: int) -> list[Hold]:
    """The holds on an account, oldest first."""
    return list(Hold.objects.filter(account=account_id))


def start_under(holds: Iterable[Hold], *, label: str, api_key: int | None) -> Start:
    """Where a job begins that is ready: in the queue, or held by the first of the holds that meets it."""
    for hold in holds:
        if hold.meets(label=label, api_key=api_key):
            return Start(Status.WAITING, Reason(hold.reason), hold.sentence)
    return QUEUED


def start_of(batch: Batch) -> Start:
    """Where the jobs of a batch begin when they are ready."""
    return start_under(holds_of(batch.account_id), label=batch.label, api_key=batch.api_key)
