import pytest
from redis import Redis

from environments.models import Environment


@pytest.fixture(autouse=True)
def _no_tries_yet(redis: Redis) -> None:
    """Failed tries are counted in Redis, which is emptied."""


@pytest.fixture
def base_environment(db: None) -> Environment:
    environment, _ = Environment.objects.update_or_create(name="base", defaults={"image": "test", "python": "3.11"})
    return environment
