"""The words of crons: how one is doing, what became of its runs, and what its owner chose."""

from django.db.models import TextChoices


class State(TextChoices):
    """How a cron is doing, by the last thing that happened to it. Whether it is paused is told apart."""

    NEW = "new"  # nothing is known of it yet
    UP = "up"  # its last run went well
    LATE = "late"  # its last run did not start within the grace
    FAILING = "failing"  # its last run failed, or was killed after its max_runtime
    MISSED = "missed"  # the clock was down when it should have run


BAD = frozenset({State.LATE, State.FAILING, State.MISSED})


class Trigger(TextChoices):
    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCH_UP = "catch_up"  # run after a downtime


class Outcome(TextChoices):
    """What the ticker did at a scheduled instant."""

    SUBMITTED = "submitted"
    SKIPPED = "skipped"  # an earlier run was unfinished, and the cron does not overlap
    MISSED = "missed"  # the clock was down, and the cron does not catch up with it


class Verdict(TextChoices):
    """What became of the job of a run."""

    PENDING = ""
    OK = "ok"
    FAILED = "failed"
    TOO_LONG = "too_long"  # killed after its max_runtime
    KILLED = "killed"  # by its owner, or to make place for the next run
    GONE = "gone"  # deleted before it was looked at


class Overlap(TextChoices):
    """What happens when a run is due while an earlier one is unfinished."""

    ALLOW = "allow"
    SKIP = "skip"
    REPLACE = "replace"


class CatchUp(TextChoices):
    """What is run of the instants that passed while no clock ran."""

    LAST = "last"
    NONE = "none"
    ALL = "all"


class Mark(TextChoices):
    """A run in one word, for a strip of marks."""

    OK = "ok"
    FAILED = "failed"
    LATE = "late"
    MISSED = "missed"
    SKIPPED = "skipped"
    KILLED = "killed"
    RUNNING = "running"
