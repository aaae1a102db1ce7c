"""Dedicating workers to one account's work of one core type: how cores are reserved.

A worker finds its dedication between jobs. So nothing that runs is ever ended by it, and a worker is dedicated in
earnest only when its presence says so.
"""

from collections.abc import Iterable

from common.sql import fetch_one
from jobs.models import Dedication
from jobs.services.dispatch import Group


def dedicate(*, workers: Iterable[str], group: Group) -> None:
    """Dedicate these workers, unless they are dedicated already."""
    rows = [
        Dedication(worker=name, account_id=group.account_id, core_type_id=group.core_type) for name in sorted(workers)
    ]
    Dedication.objects.bulk_create(rows, ignore_conflicts=True)


def free(*, workers: Iterable[str]) -> int:
    """Let these workers serve everybody again, when they have finished what they run; answers how many."""
    return Dedication.objects.filter(worker__in=list(workers)).delete()[0]


def dedication_of(worker: str) -> Group | None:
    """Whom a worker is to serve; None for everybody. In one narrow statement: every worker asks it every second."""
    row = fetch_one("SELECT account_id, core_type_id FROM jobs_dedication WHERE worker = %s", [worker])
    return Group(*row) if row else None
