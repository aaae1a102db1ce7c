"""The entry point that tickets name. Only this project's worker class can serve it."""


def open_shift(account_id: int, core_type: str, cores: int) -> None:
    """Never called: `worker.slot_worker.SlotWorker` reads the ticket itself and opens the shift in its own process.

    Raises RuntimeError, so that a ticket taken by an ordinary RQ worker is seen.
    """
    raise RuntimeError("Tickets are served by `python manage.py worker`, not by an ordinary RQ worker.")
