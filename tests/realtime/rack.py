"""A provider of machines in this process: they start when a test says so."""

from typing import ClassVar

from django.utils import timezone

from realtime.providers import Launch, Machine, Offer, ProviderFailed


class Rack:
    """Machines of four cores, `room` of them at most."""

    name = "rack"
    machines: ClassVar[dict[str, Machine]] = {}
    room: ClassVar[int] = 100
    is_down: ClassVar[bool] = False

    @classmethod
    def reset(cls) -> None:
        cls.machines, cls.room, cls.is_down = {}, 100, False

    def offer(self, core_type: str) -> Offer | None:
        return Offer(core_type=core_type, slots=4, price_micros_per_hour=200_000) if core_type != "s1" else None

    def launch(self, core_type: str, number: int) -> Launch:
        if self.is_down:
            return Launch(machines=[], problem="The rack is without power.")
        started = []
        for _ in range(min(number, self.room - len(self.machines))):
            reference = f"r-{len(self.machines) + 1}"
            self.machines[reference] = Machine(
                reference=reference, name=f"rack-{len(self.machines) + 1}", core_types=core_type, slots=4,
                launched_at=timezone.now(), price_micros_per_hour=200_000,
            )  # fmt: skip
            started.append(self.machines[reference])
        problem = "" if len(started) == number else f"The rack has room for {self.room} machines."
        return Launch(machines=started, problem=problem)

    def terminate(self, references: list[str]) -> None:
        if self.is_down:
            raise ProviderFailed("The rack is without power.")
        for reference in references:
            self.machines.pop(reference, None)

    def describe(self) -> list[Machine]:
        if self.is_down:
            raise ProviderFailed("The rack is without power.")
        return list(self.machines.values())
