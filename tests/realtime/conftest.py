from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from redis import Redis

from environments.models import Environment
from realtime.services import count
from tests.realtime.workers import Workers
from tests.submitting import Api

# A machine that others use too is slow now and then, and that is no fault of what is tested.
hypothesis_settings.register_profile("unhurried", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("unhurried")


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
