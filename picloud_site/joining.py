"""What a machine needs to work for an installation elsewhere, looked at before it begins: a sentence for each lack."""

import json
import shutil
import ssl
from collections.abc import Iterator, Sequence

import urllib3
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis import RedisError

from common.env import env_str
from common.sql import fetch_one
from jobs.models import CoreType
from jobs.services import machines
from picloud_site.supervisor import home

# Leases and times of jobs are written by the clock of each machine.
MOST_SKEW_S = 5.0
ANSWER_WITHIN_S = 10.0


def missing_settings() -> Iterator[str]:
    """What the environment does not say, without asking anybody."""
    if connection.vendor != "postgresql":
        yield (
            "DATABASE_URL must name the installation's PostgreSQL, as in postgresql://user:password@db.example.org/"
            "picloud: machines cannot share a SQLite file."
        )
    if settings.REDIS_URL.startswith("unix://"):
        yield (
            "REDIS_URL must name the installation's Redis by an address that other machines reach, as in "
            "redis://:password@redis.example.org:6379: a Unix socket is this machine's alone."
        )
    if not settings.S3_BUCKET:
        yield "PICLOUD_S3_BUCKET must name the installation's bucket: files in PICLOUD_HOME are this machine's alone."
    if not env_str("SECRET_KEY"):
        yield "SECRET_KEY must be the web host's; there it is in PICLOUD_HOME/secret_key unless it was set."
    if not env_str("PICLOUD_URL_PUBLIC"):
        yield "PICLOUD_URL_PUBLIC must be the address of the web host: jobs reach the API through it."
    if home.runs_own_engine() and not shutil.which("podman"):
        yield "Podman is not installed: start with `make host`, which installs what is missing, or apt install podman."


def problems(*, core_types: Sequence[str]) -> Iterator[str]:
    """What does not answer, or does not fit, when it is asked. The settings must be there."""
    yield from _database_problems(core_types)
    yield from _redis_problems()
    yield from _bucket_problems()
    yield from _web_problems()


def _database_problems(core_types: Sequence[str]) -> Iterator[str]:
    try:
        skew = _clock_skew()
        yield from _version_problems()
        yield from _core_type_problems(core_types)
    except DatabaseError as error:
        yield f"DATABASE_URL: the database does not answer or does not let us in ({str(error).strip()})."
        return
    if abs(skew) > MOST_SKEW_S:
        direction = "ahead of" if skew > 0 else "behind"
        yield (
            f"The clock of this machine is {abs(skew):.0f} s {direction} that of the database, and leases of jobs "
            "depend on it: let it be set by NTP, as `apt install systemd-timesyncd` does."
        )


def _clock_skew() -> float:
    """Seconds by which this machine's clock is ahead of the database's."""
    row = fetch_one("SELECT clock_timestamp()", [])
    assert row is not None
    return float((timezone.now() - row[0]).total_seconds())


def _version_problems() -> Iterator[str]:
    executor = MigrationExecutor(connection)
    known, applied = set(executor.loader.graph.nodes), set(executor.loader.applied_migrations)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield "The database is of an older version of PiCloud than this machine: update and start the web host first."
    if applied - known:
        yield "The database is of a newer version of PiCloud than this machine: update this one to the web host's."


def _core_type_problems(core_types: Sequence[str]) -> Iterator[str]:
    known = list(CoreType.objects.values_list("code", flat=True))
    for code in core_types:
        if code not in known:
            yield f"There is no core type {code!r}. There are: {', '.join(known)}."


def _redis_problems() -> Iterator[str]:
    try:
        same = machines.reads_mark()
    except RedisError as error:
        yield f"REDIS_URL: Redis does not answer or does not let us in ({error})."
        return
    if same is None:
        yield "No clock of the installation has reported to this Redis for a minute: start the web host first."
    elif not same:
        yield "SECRET_KEY is not the web host's, so the tokens of jobs that run here would not be believed there."


def _bucket_problems() -> Iterator[str]:
    # Half a second that the settings above need not wait for.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        default_storage.exists("healthz")
    except (BotoCoreError, ClientError) as error:
        yield f"PICLOUD_S3_BUCKET: the bucket does not answer or does not let us in ({error})."


def _web_problems() -> Iterator[str]:
    """Whatever its parts say, an answer of the web host is one."""
    url = f"{settings.PUBLIC_URL.rstrip('/')}/healthz"
    pool = urllib3.PoolManager(ssl_context=ssl.create_default_context(), timeout=ANSWER_WITHIN_S, retries=1)
    try:
        answer = pool.request("GET", url)
        parts = json.loads(answer.data)
    except urllib3.exceptions.HTTPError as error:
        yield f"PICLOUD_URL_PUBLIC: {url} does not answer from here ({error})."
    except ValueError:
        hint = " Name that host in ALLOWED_HOSTS there." if answer.status == 400 else ""
        yield f"PICLOUD_URL_PUBLIC: {url} answers {answer.status}, but not as PiCloud does.{hint}"
    else:
        if "workers" not in parts:
            yield f"PICLOUD_URL_PUBLIC: {url} is not PiCloud's."
