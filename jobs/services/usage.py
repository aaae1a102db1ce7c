"""Reading the records of usage in their order, by rooms that keep a cursor on them."""

from django.db import connection, transaction

from common.sql import execute, fetch_one

# Runs that are just being written are over in milliseconds; a vacuum that holds the table gives way after a second.
LONGEST_WAIT_MS = 3_000


def usage_horizon(*, after: int = 0) -> int:
    """The id up to which every record of usage can be seen, and below which none will come; `after` when none is newer.

    Not simply the highest id: on PostgreSQL two runs may take ids 7 and 8 and commit in the other order, and whoever
    read up to 8 would never see 7. Call it outside of a transaction. Raises OperationalError when somebody holds the
    table for too long.
    """
    if _highest() <= after:
        # Nothing new, so nobody has to be kept from writing: an idle installation takes no lock.
        return after
    if connection.vendor == "sqlite":
        # One writes at a time, and ids are given as they are written.
        return _highest()
    with transaction.atomic(durable=True):
        execute(f"SET LOCAL lock_timeout = {LONGEST_WAIT_MS}", [])
        # Waits for the transactions that have written and are not over, and holds up new ones for as long as it takes
        # to read one number: those will get higher ids.
        execute("LOCK TABLE jobs_usagerecord IN SHARE MODE", [])
        return _highest()


def _highest() -> int:
    row = fetch_one("SELECT COALESCE(MAX(id), 0) FROM jobs_usagerecord", [])
    assert row is not None
    return int(row[0])
