"""Settings of the unit tests: those of the site, with a home of their own that vanishes with the session."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="picloud-test-"))
_OWNER = os.getpid()


def _remove_home() -> None:
    # A forked child that exits normally must not pull the directory from under its parent.
    if os.getpid() == _OWNER:
        shutil.rmtree(HOME, ignore_errors=True)


atexit.register(_remove_home)

OF_THE_MACHINE = ("PICLOUD_", "REDIS_URL", "DATABASE_URL", "EMAIL_", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS")
ON_POSTGRES = os.environ.get("PICLOUD_TEST_DATABASE") == "postgres"
for name in [name for name in os.environ if name.startswith(OF_THE_MACHINE)]:
    del os.environ[name]
os.environ["PICLOUD_HOME"] = str(HOME)
os.environ["PICLOUD_WORKERS"] = "2"

# The socket of the session's PostgreSQL; outside HOME, because that user may not look into it.
POSTGRES_DIR = HOME.with_name(f"{HOME.name}-pg")
if ON_POSTGRES:
    os.environ["DATABASE_URL"] = f"postgresql://picloud@/picloud?host={POSTGRES_DIR}"

from picloud_site.settings import *  # noqa: E402, F403
from picloud_site.settings import DATABASES, STORAGES  # noqa: E402

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
if not ON_POSTGRES:
    # A file, as in life: an in-memory database has other locks.
    DATABASES["default"]["TEST"] = {"NAME": str(HOME / "test.sqlite3")}
