"""Where everybody meets: our stack, the rivals' interpreter and Valkey, and how much is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cloud
from benchmarks.harness.rivals import rivals_python, valkey
from tests.stack import Account, Stack, stack
from tests.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Arena:
    """Everything that a measure may use."""

    stack: Stack
    account: Account
    python: Path | None  # has the rivals; None when no measure needs them
    redis_url: str
    directory: Path
    rounds: int
    quick: bool

    def number(self, full: int) -> int:
        """So many tasks; a tenth with --quick."""
        return max(full // 10, 10) if self.quick else full

    @property
    def rivals_python(self) -> Path:
        assert self.python is not None
        return self.python


@contextmanager
def arena(directory: Path, *, with_rivals: bool, rounds: int, quick: bool) -> Iterator[Arena]:
    """All of it started, and this process a client of ours; ended at the end, with nothing left."""
    python = rivals_python() if with_rivals else None
    with stack() as ours, valkey(directory / "valkey") as redis_url:
        wait_for_spares(ours)
        account = ours.account("bench")
        use(account)
        yield Arena(
            stack=ours,
            account=account,
            python=python,
            redis_url=redis_url,
            directory=directory,
            rounds=rounds,
            quick=quick,
        )


def use(account: Account) -> None:
    """From now on this process is a client with that account's key."""
    cloud.setkey(account.api_key, account.api_secretkey, account.url)


def wait_for_spares(ours: Stack) -> None:
    """Until each of the two workers has a sandbox that nobody has used."""
    wait_until(lambda: len(ours.containers()) == 2, timeout=60, what="a spare sandbox for each worker")
