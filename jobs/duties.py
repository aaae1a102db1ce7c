"""What the clock does for jobs."""

from datetime import timedelta

from common.duties import Duty
from jobs.services import dispatch, holds, recover
from jobs.services.delete import remove_orphaned_results
from jobs.services.modules import remove_unused_sets
from storage.services import remove_orphans

ABANDONED = timedelta(minutes=10)


def close_abandoned_submits() -> None:
    recover.close_abandoned_submits(older_than=ABANDONED)


# In a thread of their own: a held backlog may be long, and leases wait for nothing.
HOLDS = [Duty(holds.settle_holds, seconds=5.0)]
DUTIES = [
    Duty(recover.expire_leases, seconds=1.0),
    Duty(dispatch.reissue_tickets, seconds=1.0),
    Duty(close_abandoned_submits, seconds=30.0),
    Duty(remove_unused_sets, seconds=3600.0),
    Duty(remove_orphans, seconds=3600.0),
    Duty(remove_orphaned_results, seconds=3600.0),
]
