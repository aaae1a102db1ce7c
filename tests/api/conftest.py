"""The API as its users reach it: with keys, on either object store."""

from typing import Any

import pytest

from environments.models import Environment
from tests.storage.conftest import file_store, keys, s3_store, store
from tests.submitting import Api

__all__ = ["file_store", "keys", "s3_store", "store"]


@pytest.fixture
def alice_api(alice: Any) -> Api:
    return Api(alice)


@pytest.fixture
def charlie_api(charlie: Any) -> Api:
    return Api(charlie)


@pytest.fixture
def base_environment(db: None) -> Environment:
    environment, _ = Environment.objects.update_or_create(name="base", defaults={"image": "test", "python": "3.11"})
    return environment
