"""The life of a reservation, and why it ended."""

from django.db.models import TextChoices


class State(TextChoices):
    PENDING = "pending"  # its cores are not ready, or its start is to come
    ACTIVE = "active"  # its cores stand ready, and its hours count
    ENDED = "ended"


class EndReason(TextChoices):
    """Why it ended, for programs; pages turn it into words."""

    NONE = ""
    RELEASED = "released"  # by its owner
    WITHDRAWN = "withdrawn"  # by its owner, before it was ready: it costs nothing
    MAX_DURATION = "max_duration"  # after the hours that it was for
    WINDOW_OVER = "window_over"  # at the end of its window
    DENIED = "denied"  # by the operator, before it was ready
    STOPPED = "stopped"  # by the operator


# The table is the truth: nothing changes a state except along it.
MOVES: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.ACTIVE, State.ENDED}),
    State.ACTIVE: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
OPEN = frozenset(state for state, after in MOVES.items() if after)
