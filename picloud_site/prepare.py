"""Everything between a set-up machine and a serving one, in one Django process: `python -m picloud_site.prepare`.

Each step is skipped when it was done before; a second start does none of them. With `--host` those that the web host
does for all machines are left out.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from common.exceptions import Refused
from environments.engine import NoEngine

NAME_PATIENCE_S = 5.0


def _say(words: str, began: float) -> None:
    print(f"{words} ({time.monotonic() - began:.1f} s)")


def _timed(words: str, step: Callable[[], object]) -> None:
    began = time.monotonic()
    step()
    _say(words, began)


def migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        _timed(f"Database: {len(plan)} migrations applied", lambda: call_command("migrate", verbosity=0))


def _static_files() -> Iterator[Path]:
    for directory in [settings.CODE / "static", Path(django.__file__).parent / "contrib" / "admin" / "static"]:
        yield from sorted(path for path in directory.rglob("*") if path.is_file())


def collect_static() -> None:
    """Copies, compresses and names the static files by content, when one changed since the last time."""
    seen = hashlib.sha256()
    for path in _static_files():
        status = path.stat()
        seen.update(f"{path}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    stamp = settings.PICLOUD_HOME / "static.stamp"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    _timed("Static files collected", lambda: call_command("collectstatic", interactive=False, clear=True, verbosity=0))
    stamp.write_text(seen.hexdigest())


def base_environment(*, is_host: bool) -> None:
    """Builds the image that jobs run in, the first time. The web host records it in the database."""
    # Models can be loaded after django.setup() alone.
    from environments.services import ensure_base_environment, ensure_known_environment  # noqa: PLC0415

    began = time.monotonic()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(f"Base environment: {line}")

    ensure = ensure_known_environment if is_host else ensure_base_environment
    ensure(say=say)
    if lines:
        _say("Base environment built", began)


def claim_name() -> None:
    """Waits until nobody else bears the name of this machine: one that has just been replaced does for a while."""
    from jobs.services import machines  # noqa: PLC0415

    until = time.monotonic() + machines.NAME_SECONDS + NAME_PATIENCE_S
    said = False
    while True:
        try:
            machines.claim_own_name()
        except machines.NameTaken as taken:
            if time.monotonic() > until:
                raise
            if not said:
                print(f"{taken} Waiting whether it is the latter.")
            said = True
            time.sleep(0.5)
        else:
            return


def main() -> int:
    is_host = "--host" in sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picloud_site.settings")
    django.setup()
    if not is_host:
        try:
            migrate()
        except OperationalError as error:
            print(f"The database cannot be used: {str(error).strip()}")
            return 1
        collect_static()
    if settings.SANDBOX == "container":
        call_command("clean_up")
    try:
        if is_host:
            claim_name()
        base_environment(is_host=is_host)
    except (Refused, NoEngine) as refusal:
        print(refusal)
        return 1
    finally:
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
