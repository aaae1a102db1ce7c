"""What the measures run in jobs. Imports nothing that a job's environment does not have."""

import random
import time


def take_a_while(seconds: float) -> str:
    """Sleep, and say so."""
    time.sleep(seconds)
    return "done"


def chatter(lines: int) -> None:
    """Prints the time, at moments that follow no beat."""
    time.sleep(1.5)  # until somebody watches
    for _ in range(lines):
        time.sleep(random.uniform(0.01, 0.15))
        print(f"at {time.time():.6f}", flush=True)
