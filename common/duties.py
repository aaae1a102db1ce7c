"""What has to be done again and again by the clock, whichever room it belongs to."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


class Duty(NamedTuple):
    """A function to call every so many seconds, and besides at the moment that `next_due` names, if it has one."""

    do: Callable[[], object]
    seconds: float
    next_due: Callable[[], datetime | None] | None = None
