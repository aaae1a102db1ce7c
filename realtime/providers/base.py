"""What a provider of machines is to the rest: it starts them, ends them, and says which there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.exceptions import Refused


class ProviderFailed(Refused):
    """The provider does not answer, or refuses. The message says which, and what to do; nothing is known then."""

    status = 503

    def __init__(self, message: str) -> None:
        super().__init__("provider_failed", message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """The machine that a provider starts for a core type."""

    core_type: str
    slots: int
    price_micros_per_hour: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A machine of this installation that the provider has started and not yet ended."""

    reference: str
    name: str  # by which its workers will report
    core_types: str  # separated by commas
    slots: int
    launched_at: datetime
    price_micros_per_hour: int = 0
    is_spot: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What came of asking for machines. With fewer than were asked for, `problem` says why in a sentence."""

    machines: list[Machine]
    problem: str = ""


class Provider(Protocol):
    """Starts and ends machines that join this installation by themselves.

    Nothing is ever started without being answered or found again by `describe`, whatever fails in between.
    """

    name: str

    def offer(self, core_type: str) -> Offer | None:
        """The machine it would start for a core type; None where it starts none."""
        ...

    def launch(self, core_type: str, number: int) -> Launch:
        """Start as many machines, or as many as can be had. Refusals are in the answer; nothing is raised for them."""
        ...

    def terminate(self, references: list[str]) -> None:
        """End these machines; those that are gone already are no error. Raises ProviderFailed."""
        ...

    def describe(self) -> list[Machine]:
        """Every machine of this installation that is starting or running. Raises ProviderFailed."""
        ...
