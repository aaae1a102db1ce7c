"""A whole stack, shared by the tests that leave it whole."""

from collections.abc import Iterator

import pytest

from tests import stack as stacks


@pytest.fixture(scope="session")
def stack() -> Iterator[stacks.Stack]:
    with stacks.stack() as one:
        yield one


@pytest.fixture(scope="session")
def account(stack: stacks.Stack) -> stacks.Account:
    """Alice on the shared stack."""
    return stack.account("alice")
