"""Which modules a function needs, and how those get to where it runs.

Steps: the pickler notes names of modules; `discovery` follows them to what must travel; `archives` makes zips of that;
`shipping` sends those that the service does not have. Nothing of it is imported for a function that needs nothing.
"""

import sys
from collections.abc import Iterable

# Every environment has these: a pickle that needs them could not be opened without.
ALWAYS_THERE = frozenset({"__main__", "__mp_main__", "cloud", "cloudpickle"})
_SKIPPED = ALWAYS_THERE | sys.stdlib_module_names


def foreign(names: Iterable[str]) -> frozenset[str]:
    """Those of the modules that are neither in the standard library nor in every environment."""
    return frozenset(name for name in names if name.partition(".")[0] not in _SKIPPED)
