from typing import Any

import pytest

from environments.models import Environment
from tests.submitting import Api


@pytest.fixture(autouse=True)
def base_environment(db: None) -> Environment:
    environment, _ = Environment.objects.update_or_create(
        name="base", defaults={"image": "localhost/picloud/base:test", "digest": "test", "python": "3.11"}
    )
    return environment


@pytest.fixture
def alice_api(alice: Any) -> Api:
    return Api(alice)


@pytest.fixture
def charlie_api(charlie: Any) -> Api:
    return Api(charlie)


@pytest.fixture
def operator(db: None) -> Any:
    from accounts.services import create_user

    return create_user(username="olga", password="olga-password", is_staff=True)
