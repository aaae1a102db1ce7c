from typing import Any

import pytest
from redis import Redis

from environments.models import Environment
from realtime.services import count
from tests.realtime.workers import Workers
from tests.submitting import Api


@pytest.fixture
def base_environment(db: None) -> Environment:
    environment, _ = Environment.objects.update_or_create(
        name="base", defaults={"image": "localhost/picloud/base:test", "digest": "test", "python": "3.11"}
    )
    return environment


@pytest.fixture
def workers(redis: Redis, db: None) -> Workers:
    """Two idle workers, as many as the settings of the tests say."""
    return Workers(redis)


@pytest.fixture(autouse=True)
def _counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting rests after each round; here every round counts."""
    monkeypatch.setattr(count, "MOST_SHARE", float("inf"))
    count._rest_until.clear()


@pytest.fixture
def alice_api(alice: Any) -> Api:
    return Api(alice)


@pytest.fixture
def charlie_api(charlie: Any) -> Api:
    return Api(charlie)
