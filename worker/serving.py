"""Whom a worker serves: everybody, or the group that it is dedicated to."""

import logging
import time

from django.db import DatabaseError, connection

from jobs.services.dedication import dedication_of
from jobs.services.dispatch import Group, WorkKind, queue_name, reserved_queue_name
from worker.slots import Slots

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two looks for a dedication


class Serving:
    """Follows the dedication of the worker `name`. What it says changes in `follow` alone, between jobs."""

    def __init__(self, name: str, *, core_types: list[str], slots: Slots) -> None:
        self._name, self._core_types, self._slots = name, core_types, slots
        self.group: Group | None = None
        self._wanted: Group | None = None
        self._looked_at = -LOOK_SECONDS
        self._is_core_free = False
        slots.join("")

    def is_over(self) -> bool:
        """Whether others are to be served than until now; the database is asked once a second."""
        if time.monotonic() >= self._looked_at + LOOK_SECONDS:
            self._looked_at = time.monotonic()
            try:
                self._wanted = dedication_of(self._name)
            except DatabaseError as error:
                logger.warning("served are the same as before: %s", error)
                connection.close_if_unusable_or_obsolete()
        return self._wanted != self.group

    def follow(self) -> None:
        """Serve from now on whom this worker is dedicated to."""
        if self.is_over():
            self.group = self._wanted
            self._slots.join(str(self.group or ""))
            self._is_core_free = False

    def has_core(self) -> bool:
        """Whether nobody outside the group holds the worker's own core any more."""
        self._is_core_free = self._is_core_free or self._slots.owns()
        return self._is_core_free

    @property
    def queue_names(self) -> list[str]:
        """The queues whose tickets are taken."""
        return [reserved_queue_name(self.group)] if self.group else [queue_name(code) for code in self._core_types]

    def queue_of(self, ticket: str) -> str:
        """The queue that a ticket came from."""
        kind = WorkKind.parse(ticket)
        return reserved_queue_name(kind.group) if self.group else queue_name(kind.core_type)
