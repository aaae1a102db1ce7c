"""Which runs are alike: the rows of run times that know of a job, from the finest to the coarsest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from realtime.capacity.estimate import Basis

# `picloud exec` runs every command by this function: what a command takes is known by the command.
SHELL = ("cloud._shell", "run_shell")


class Key(NamedTuple):
    """The columns that tell a row of run times from all others; 0 and empty stand for any."""

    account_id: int
    function_id: int
    version: str
    core_type: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What a job has in common with others. `function_id` is 0 for a function that was never submitted."""

    account_id: int
    function_id: int
    version: str
    core_type: str
    cores: int

    def keys(self) -> dict[Basis, Key]:
        """From the finest to the coarsest."""
        account_id, core_type, cores = self.account_id, self.core_type, self.cores
        found = {
            Basis.ACCOUNT: Key(account_id, 0, "", core_type, 0),
            Basis.INSTALLATION: Key(0, 0, "", core_type, 0),
        }
        if not self.function_id:
            return found
        function = Key(account_id, self.function_id, "", core_type, cores)
        return {Basis.CODE: function._replace(version=self.version), Basis.FUNCTION: function, **found}


def version_of(
    *,
    code: str,
    modules: str,
    environment_id: int,
    kill_process: bool,
    max_runtime_ms: int | None,
    env_vars: Mapping[str, str],
    command: str = "",
) -> str:
    """A digest of all that bears on how long a function runs, besides its arguments: its code and some options.

    `code` and `modules` are digests, of the pickled function and of the set of modules that travels with it; `command`
    is that of a shell command's arguments.
    """
    parts: list[Any] = [code, modules, environment_id, kill_process, max_runtime_ms, sorted(env_vars.items()), command]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
