"""An EC2 that answers, and hosts as rows."""

from collections.abc import Iterator
from typing import Any

import pytest

from realtime.providers import current_provider
from realtime.providers.ec2 import Ec2Provider
from tests.realtime import cloud_server
from tests.realtime.cloud_server import Door

# One that moto knows.
IMAGE = "ami-12c6146b"


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
