from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _environment(base_environment: Any) -> None:
    """Each test here has one."""
