"""Machines of your own: started and stopped by hand, and already paid for."""

from realtime.providers.base import Launch, Machine, Offer, ProviderFailed


class LocalProvider:
    """Starts nothing: this machine's slots are fixed, and others join by `manage.py worker_host`."""

    name = "local"

    def offer(self, core_type: str) -> Offer | None:
        return None

    def launch(self, core_type: str, number: int) -> Launch:
        return Launch(machines=[], problem="Machines of your own are started by hand: see PICLOUD_PROVIDER.")

    def terminate(self, references: list[str]) -> None:
        if references:
            raise ProviderFailed("A machine of your own is stopped by hand, on that machine.")

    def describe(self) -> list[Machine]:
        return []
