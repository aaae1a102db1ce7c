"""Settings of the site. Everything that differs between installations is an environment variable;
docs/reference/settings.md names each of them."""

import os
import re
import secrets
import socket
from pathlib import Path
from typing import Any

from common.env import BadSetting, env_bool, env_choice, env_dollars, env_int, env_list, env_str, env_url
from picloud_site import databases, machines

CODE = Path(__file__).resolve().parent.parent
PICLOUD_HOME = Path(env_str("PICLOUD_HOME", str(CODE / "var"))).resolve()
RUN_DIR = PICLOUD_HOME / "run"
# Jobs reach the API through it, whatever their network. In a directory of its own, which sandboxes see.
API_SOCKET = RUN_DIR / "api" / "api.sock"


def _secret_key() -> str:
    """SECRET_KEY, or one made at the first start and kept beside the database, readable by us alone."""
    key = env_str("SECRET_KEY")
    if key:
        # It signs sessions and the tokens of jobs: whoever guesses it is everybody.
        if len(key) < 32:
            raise BadSetting("SECRET_KEY must be at least 32 random characters; leave it out and one is made.")
        return key
    path = PICLOUD_HOME / "secret_key"
    if not path.exists():
        try:
            PICLOUD_HOME.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting(f"PICLOUD_HOME cannot be made: {error}.") from None
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


DEBUG = env_bool("DEBUG")
SECRET_KEY = _secret_key()
HOST = env_str("HOST", "127.0.0.1")
PORT = env_int("PORT", 8000, most=65535)
# The address people use, for links in mail and on pages.
PUBLIC_URL = env_str("PICLOUD_URL_PUBLIC", f"http://{HOST}:{PORT}")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", f"{HOST},localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
    "common",
    "accounts",
    "storage",
    "environments",
    "jobs",
    "crons",
    "realtime",
    "billing",
    "worker",
    "picloud_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "common.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.show_times_in_own_zone",
    "common.middleware.RefusalPages",
]

ROOT_URLCONF = "picloud_site.urls"
WSGI_APPLICATION = "picloud_site.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CODE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "common.context.site",
            ],
            "builtins": ["common.templatetags.picloud"],
        },
    },
]

DATABASE_URL = env_str("DATABASE_URL")
DATABASES = {
    "default": databases.from_url(DATABASE_URL) if DATABASE_URL else databases.sqlite(PICLOUD_HOME / "db.sqlite3"),
}

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "jobs:list"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
SESSION_COOKIE_SAMESITE = "Lax"
# Two stacks on one machine share a host name, and browsers do not tell ports apart.
SESSION_COOKIE_NAME = f"picloud_session_{PORT}"
CSRF_COOKIE_NAME = f"picloud_csrf_{PORT}"
CSRF_HEADER_NAME = "HTTP_X_CSRFTOKEN"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [CODE / "static"]
STATIC_ROOT = PICLOUD_HOME / "static"

# Redis or Valkey. Without REDIS_URL, `make up` starts one on a Unix socket under PICLOUD_HOME.
REDIS_URL = env_url("REDIS_URL", f"unix://{RUN_DIR / 'redis.sock'}", schemes=("redis", "rediss", "unix"))
# Above every blocking wait of ours: redis-py 8 gives up after 5 s by itself.
REDIS_CLIENT: dict[str, Any] = {"socket_timeout": 600}
if not REDIS_URL.startswith("unix://"):
    # Whoever is cut off while it waits for an answer must notice long before that.
    REDIS_CLIENT |= {
        "socket_connect_timeout": 10,
        "socket_keepalive": True,
        "socket_keepalive_options": {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_USER_TIMEOUT: 20_000},
    }

# One queue for each core type. It carries tickets (ids only), never work itself, hence JSON and no results.
CORE_TYPE_QUEUES = env_list("PICLOUD_CORE_TYPES", "c1,c2,f2,m1,s1")
RQ_QUEUES = {
    f"standard-{core_type}": {
        "URL": REDIS_URL,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "DEFAULT_TIMEOUT": -1,
        "DEFAULT_RESULT_TTL": 0,
        "REDIS_CLIENT_KWARGS": REDIS_CLIENT,
    }
    for core_type in CORE_TYPE_QUEUES
}

# Tickets are enqueued by services after their transactions; waiting for another commit would lose them.
RQ = {"COMMIT_MODE": "auto"}

# The object store: files under PICLOUD_HOME, or a bucket of an S3-compatible service.
S3_BUCKET = env_str("PICLOUD_S3_BUCKET")
S3_ENDPOINT_URL = env_url("PICLOUD_S3_ENDPOINT_URL", "", schemes=("http", "https"))
S3_REGION = env_str("PICLOUD_S3_REGION", "us-east-1")
S3_ACCESS_KEY = env_str("PICLOUD_S3_ACCESS_KEY")
S3_SECRET_KEY = env_str("PICLOUD_S3_SECRET_KEY")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "storage.file_bucket.FileBucket",
        "OPTIONS": {"location": str(PICLOUD_HOME / "bucket"), "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "picloud_site.static_files.StaticFiles"},
}
if S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storage.s3_bucket.S3Bucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "region_name": S3_REGION,
            "access_key": S3_ACCESS_KEY or None,
            "secret_key": S3_SECRET_KEY or None,
            "signature_version": "s3v4",
            "addressing_style": "path",
            "file_overwrite": True,
            "querystring_expire": 900,
        },
    }

# Mail goes to the terminal until a server is named.
EMAIL_HOST = env_str("EMAIL_HOST")
EMAIL_PORT = env_int("EMAIL_PORT", 25, most=65535)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "PiCloud <picloud@localhost>")

SIGN_UP_OPEN = env_bool("PICLOUD_SIGN_UP", default=True)

# Limits of one submit.
MAX_PAYLOAD = 16_000_000  # bytes of one function, one argument set or one result
MAX_MAP = 10_000  # jobs of one map
MAX_REQUEST = 40_000_000  # bytes of one submitting request
MAX_ARCHIVE = 500_000_000  # bytes of one archive of modules
MAX_FILE = 5_000_000_000  # bytes of one stored file
# Up to here bytes live in the database, above it in the object store.
INLINE_LIMIT = 32 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["storage.uploads.NoUploads"]

# Work. Without slots this machine serves pages, and others run the jobs.
WORKER_SLOTS = env_int("PICLOUD_WORKERS", os.cpu_count() or 1, least=0, most=999)
# How the workers of this machine name it. No two machines of an installation may have the same.
HOST_NAME = env_str("PICLOUD_HOST_NAME", os.uname().nodename[:63])
HOST_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
if not HOST_NAME_PATTERN.fullmatch(HOST_NAME):
    raise BadSetting(f"PICLOUD_HOST_NAME must be up to 63 letters, digits, dots, dashes or '_', not {HOST_NAME!r}.")
# How long a worker that is told to stop may go on with what it runs. What is not done by then runs again elsewhere.
DRAIN_SECONDS = env_int("PICLOUD_DRAIN_SECONDS", 0, least=0)
SANDBOX = env_str("PICLOUD_SANDBOX", "container")
if SANDBOX not in ("container", "process"):
    raise BadSetting(f"PICLOUD_SANDBOX must be 'container' or 'process', not {SANDBOX!r}.")
CONTAINER_ENGINE_URL = env_str("PICLOUD_CONTAINER_ENGINE", f"unix://{RUN_DIR / 'podman.sock'}")
CONTAINER_RUNTIME = env_str("PICLOUD_CONTAINER_RUNTIME", "runc")
# Where sandboxes get their own addresses from; a range for tests of networks, which nobody uses in earnest.
SANDBOX_NETWORK = env_str("PICLOUD_SANDBOX_NETWORK", "198.18.0.0/15")
# Networks that jobs must not reach besides this host, other sandboxes and cloud metadata addresses.
SANDBOX_BLOCKED_NETWORKS = env_list(
    "PICLOUD_BLOCKED_NETWORKS", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16"
)
# Who starts and ends worker hosts: local (you, by hand), ec2, or the path of a class of your own.
PROVIDER = env_str("PICLOUD_PROVIDER", "local")
# What marks the machines of this installation; without it, what SECRET_KEY comes to.
CLUSTER = env_str("PICLOUD_CLUSTER")
EC2_REGION = env_str("PICLOUD_EC2_REGION")
EC2_ENDPOINT_URL = env_url("PICLOUD_EC2_ENDPOINT_URL", "", schemes=("http", "https"))
EC2_MACHINES = machines.from_list(env_list("PICLOUD_EC2_MACHINES"))
EC2_IMAGE = env_str("PICLOUD_EC2_IMAGE")
EC2_LAUNCH_TEMPLATE = env_str("PICLOUD_EC2_LAUNCH_TEMPLATE")
EC2_SUBNETS = env_list("PICLOUD_EC2_SUBNETS")
EC2_SECURITY_GROUPS = env_list("PICLOUD_EC2_SECURITY_GROUPS")
EC2_INSTANCE_PROFILE = env_str("PICLOUD_EC2_INSTANCE_PROFILE")
EC2_SPOT = env_bool("PICLOUD_EC2_SPOT")
if PROVIDER == "ec2" and not (EC2_MACHINES and (EC2_IMAGE or EC2_LAUNCH_TEMPLATE)):
    raise BadSetting(
        "PICLOUD_PROVIDER=ec2 needs PICLOUD_EC2_MACHINES, and PICLOUD_EC2_IMAGE or PICLOUD_EC2_LAUNCH_TEMPLATE: "
        "docs/how-to/run-on-ec2.md says how to make them."
    )
HOST_JOIN_SECONDS = env_int("PICLOUD_HOST_JOIN_SECONDS", 900, least=20)
HOST_LOST_SECONDS = env_int("PICLOUD_HOST_LOST_SECONDS", 120, least=20)
# How many cores are rented, and for how long.
BILLING_INCREMENT = env_int("BILLING_INCREMENT", 3600, most=86_400)  # seconds
MAX_HOSTS = env_int("PICLOUD_MAX_HOSTS", 10, least=0)
# Dollars that each account has free in a month, and what comes of its jobs when they are used up.
MONTHLY_CREDIT = env_dollars("PICLOUD_MONTHLY_CREDIT", "0")
CREDIT_USED_UP = env_choice("PICLOUD_CREDIT_USED_UP", "continue", ("continue", "hold"))
# An API key that uses so many times what it usually does in an hour, and this many dollars at least, is braked.
RUNAWAY_FACTOR = env_int("PICLOUD_RUNAWAY_FACTOR", 20, least=0)
RUNAWAY_LEAST = env_dollars("PICLOUD_RUNAWAY_LEAST", "1")
LEASE_SECONDS = env_int("PICLOUD_LEASE_SECONDS", 15)
KILL_GRACE_SECONDS = 2.0

# Crons. Their runs are listed for so many days; what each day came to is kept for ever.
CRON_HISTORY_DAYS = env_int("PICLOUD_CRON_HISTORY_DAYS", 366)

# Reserved cores. 0 is as many as there are workers.
REALTIME_MAX_CORES = env_int("PICLOUD_REALTIME_MAX_CORES", 0, least=0)
REALTIME_MAX_CORES_IN_ALL = env_int("PICLOUD_REALTIME_MAX_CORES_IN_ALL", 0, least=0)
REALTIME_MAX_HOURS = env_int("PICLOUD_REALTIME_MAX_HOURS", 8760, most=87_600)
# How long before their start the cores of a reservation are prepared.
REALTIME_LEAD_SECONDS = env_int("PICLOUD_REALTIME_LEAD_SECONDS", 300, least=0, most=86_400)
REALTIME_RULE = env_str("PICLOUD_REALTIME_RULE", "minimum")
if REALTIME_RULE not in ("minimum", "fee"):
    raise BadSetting(f"PICLOUD_REALTIME_RULE must be 'minimum' or 'fee', not {REALTIME_RULE!r}.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO")},
    # A request for what does not exist is the asker's affair; the answer says so.
    "loggers": {
        "rq.worker": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
    },
}
