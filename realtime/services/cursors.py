"""Moving a reader of usage on, once for each record whoever else reads."""

from realtime.models import UsageCursor


def cursor_at(name: str) -> int:
    """The last record of usage that this reader has read."""
    return UsageCursor.objects.get_or_create(name=name)[0].last_id


def move_cursor(name: str, *, before: int, after: int) -> bool:
    """Move on from where the caller began, in its transaction; False when another reader was faster."""
    return UsageCursor.objects.filter(name=name, last_id=before).update(last_id=after) == 1
