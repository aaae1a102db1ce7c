"""Counting the bytes of files that are sent here and fetched, by account and day."""

from datetime import UTC

from django.utils import timezone

from common.sql import execute
from storage.models import TransferDay

_TABLE = TransferDay._meta.db_table


def count_transfer(account_id: int, *, came: int = 0, went: int = 0) -> None:
    """Add bytes to the account's day, UTC. What a link to S3 leads to counts as fetched when the link is given."""
    execute(
        f"INSERT INTO {_TABLE} (account_id, day, bytes_in, bytes_out) VALUES (%s, %s, %s, %s) "
        f"ON CONFLICT (account_id, day) DO UPDATE SET bytes_in = {_TABLE}.bytes_in + excluded.bytes_in, "
        f"bytes_out = {_TABLE}.bytes_out + excluded.bytes_out",
        [account_id, timezone.now().astimezone(UTC).date().isoformat(), came, went],
    )
