"""The weekly digest of an account's crons."""

from datetime import datetime

from accounts.models import User
from crons.schedule import Schedule
from crons.zones import zone_names

SCHEDULE = "0 8 * * mon"


def next_digest(account: User, now: datetime) -> datetime:
    """Next Monday morning where the account's owner is."""
    zone = account.time_zone if account.time_zone in zone_names() else "UTC"
    moment = Schedule.parse(SCHEDULE, zone).next_after(now)
    assert moment is not None
    return moment
