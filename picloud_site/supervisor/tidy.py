"""What `make down` does after a supervisor that was killed outright: nobody else takes away what is left."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from picloud_site import settings
from picloud_site.supervisor import home, servers

ENGINE_WITHIN_S = 20.0


def tidy_after_a_kill() -> None:
    """Remove containers, networks and sockets. Only while PICLOUD_HOME is held against every supervisor."""
    home.remove_sockets()
    with _own_engine():
        subprocess.run([sys.executable, "manage.py", "clean_up"], cwd=settings.CODE, check=True)
    home.remove_sockets()


@contextmanager
def _own_engine() -> Iterator[None]:
    """The engine that the supervisor would run: it died with it, and only it can remove its containers."""
    if not home.runs_own_engine():
        yield
        return
    with subprocess.Popen(servers.engine_command(home.ENGINE_SOCKET), cwd=settings.RUN_DIR) as engine:
        try:
            end = time.monotonic() + ENGINE_WITHIN_S
            while not home.engine_answers() and engine.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            yield
        finally:
            engine.terminate()
