"""Who asks, two idle workers, an EC2 that answers, and hosts as rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from redis import Redis

from realtime.providers import current_provider
from realtime.providers.ec2 import Ec2Provider
from realtime.services import count
from tests.realtime import cloud_server
from tests.realtime.cloud_server import Door
from tests.realtime.workers import Workers

# One that moto knows.
IMAGE = "ami-12c6146b"
# A machine that others use too is slow now and then, and that is no fault of what is tested.
hypothesis_settings.register_profile("unhurried", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("unhurried")


@pytest.fixture
def workers(redis: Redis, db: None) -> Workers:
    """Two idle workers, as many as the settings of the tests say."""
    return Workers(redis)


@pytest.fixture(autouse=True)
def _counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting rests after each round; here every round counts."""
    monkeypatch.setattr(count, "MOST_SHARE", float("inf"))
    count._rest_until.clear()


@pytest.fixture(scope="session")
def ec2_door() -> Iterator[Door]:
    with cloud_server.ec2_server() as door:
        yield door


@pytest.fixture
def door(ec2_door: Door, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """EC2 without instances, and an installation that uses it."""
    cloud_server.empty(ec2_door)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings.PROVIDER = "ec2"
    settings.EC2_ENDPOINT_URL, settings.EC2_REGION = ec2_door.url, cloud_server.REGION
    settings.EC2_IMAGE = IMAGE
    settings.EC2_MACHINES = {"c1": ("c7i.large", 2, 89_300), "m1": ("r7i.large", 2, 132_300)}
    current_provider.cache_clear()
    yield ec2_door
    current_provider.cache_clear()


@pytest.fixture
def ec2(door: Door) -> Ec2Provider:
    provider = current_provider()
    assert isinstance(provider, Ec2Provider)
    return provider
