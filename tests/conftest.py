"""What every test may ask for: real servers, and three people. Alice owns the thing, Bob is a colleague
with an account of his own, Charlie is a stranger."""

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from redis import Redis

from picloud_site.supervisor.servers import engine_command
from tests import servers
from tests.settings import HOME, ON_POSTGRES, POSTGRES_DIR


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Path]:
    with servers.valkey(HOME / "run") as path:
        yield path


@pytest.fixture
def redis(valkey_server: Path) -> Iterator[Redis]:
    """The session's Valkey, empty."""
    with Redis.from_url(settings.REDIS_URL) as connection:
        connection.flushall()
        yield connection


def has_database(item: Any) -> bool:
    return bool({"db", "transactional_db"} & set(item.fixturenames) or item.get_closest_marker("django_db"))


@pytest.fixture(autouse=True)
def _nothing_beside_the_rows(request: pytest.FixtureRequest) -> None:
    """Services enqueue, and store, beside the rows that each test takes back: Redis and the bucket begin empty too."""
    if has_database(request.node):
        request.getfixturevalue("redis")
        shutil.rmtree(HOME / "bucket", ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, tests without a database would only be the same again."""
    if ON_POSTGRES:
        config.hook.pytest_deselected(items=[item for item in items if not has_database(item)])
        items[:] = [item for item in items if has_database(item)]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Starts PostgreSQL before the test database is made, when the session runs on it."""
    if not ON_POSTGRES:
        yield
        return
    with servers.postgres(POSTGRES_DIR):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """On SQLite, what a test wrote that others see is taken back by DELETE, which the sealed tables refuse."""
    from django.db import connection

    if not ON_POSTGRES:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in ("ledgerentry", "statement"):
                cursor.execute(f"DROP TRIGGER billing_{table}_no_delete")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3Server]:
    with servers.s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def engine_socket() -> Iterator[Path]:
    """A container engine of this test session's own."""
    from worker.sandbox import remove_leftovers

    path = Path(settings.RUN_DIR) / "podman.sock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with servers.running(engine_command(path), at=path):
        yield path
        remove_leftovers(settings.PICLOUD_HOME)


@pytest.fixture(scope="session")
def base_image(engine_socket: Path) -> str:
    """The image of the base environment, built when this machine does not have it yet."""
    from environments.recipe import read_recipe
    from environments.services import ensure_image

    recipe = read_recipe("base")
    ensure_image(recipe=recipe)
    return recipe.image


def _person(name: str) -> Any:
    from accounts.models import User

    return User.objects.create_user(name, email=f"{name}@example.org", password=f"{name}-password")


@pytest.fixture
def core_types(transactional_db: None) -> None:
    """For tests on a database that others write to: they are not rolled back but emptied, of these rows too."""
    from jobs.models import CoreType

    if not CoreType.objects.exists():
        import_module("jobs.migrations.0002_core_types").create(apps, None)


@pytest.fixture
def alice(db: None) -> Any:
    return _person("alice")


@pytest.fixture
def bob(db: None) -> Any:
    return _person("bob")


@pytest.fixture
def charlie(db: None) -> Any:
    return _person("charlie")


@pytest.fixture
def alice_client(alice: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bob_client(bob: Any) -> Client:
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def charlie_client(charlie: Any) -> Client:
    client = Client()
    client.force_login(charlie)
    return client


@pytest.fixture
def alice_api(alice: Any) -> Any:
    from tests.submitting import Api

    return Api(alice)


@pytest.fixture
def charlie_api(charlie: Any) -> Any:
    from tests.submitting import Api

    return Api(charlie)


@pytest.fixture
def base_environment(db: None) -> Any:
    """The row of the environment that jobs run in; nothing is built."""
    from environments.models import Environment

    environment, _ = Environment.objects.update_or_create(
        name="base", defaults={"image": "localhost/picloud/base:test", "digest": "test", "python": "3.11"}
    )
    return environment


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, one for all: a second one cannot be driven in the same process."""
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield one
        one.close()
