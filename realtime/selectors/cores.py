"""The cores that there are."""

import redis
from django.conf import settings

from jobs.selectors.workers import live_workers
from jobs.services.dispatch import Group


def cores_for(group: Group) -> int:
    """Cores that can take the account's jobs of this type now, busy or not: all that nobody else has reserved.

    While nobody can say, those of this machine.
    """
    try:
        workers = live_workers()
    except redis.RedisError:
        return settings.WORKER_SLOTS
    return sum(
        worker.is_able and group.core_type in worker.core_types and worker.group in (None, group) for worker in workers
    )
