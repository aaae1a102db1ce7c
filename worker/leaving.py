"""When a worker takes no more work: told to stop, or because its host drains."""

import time

from django.conf import settings

from jobs.services import machines

LOOK_SECONDS = 1.0


class Leaving:
    """What is to become of the work at hand: to go on, to finish it and take nothing new, or to give it back."""

    def __init__(self) -> None:
        self._stop_at: float | None = None
        self._looked_at = 0.0
        self.order = ""

    def stop(self) -> None:
        """Told to stop: the first time what runs may go on for a while, the second time it may not."""
        patience = 0 if self._stop_at is not None else settings.DRAIN_SECONDS
        self._stop_at = time.monotonic() + patience

    def must_stop(self) -> bool:
        """Whether what runs is to be given back."""
        return self._stop_at is not None and time.monotonic() >= self._stop_at

    def is_draining(self) -> bool:
        """Whether this host is under an order to take nothing new; Redis is asked at most once a second."""
        if time.monotonic() >= self._looked_at + LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self.order = machines.drain_order(host=settings.HOST_NAME)
        return bool(self.order)
