from typing import Any

import pytest


@pytest.fixture
def operator(db: None) -> Any:
    from accounts.services import create_user

    return create_user(username="olga", password="olga-password", is_staff=True)


@pytest.fixture(autouse=True)
def _environment(base_environment: Any) -> None:
    """Each test here has one."""
