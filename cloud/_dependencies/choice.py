"""Which modules may travel, as the program chose."""

from collections.abc import Iterable

_whitelist: frozenset[str] | None = None


def whitelist() -> frozenset[str] | None:
    """The names that alone may travel; None for all."""
    return _whitelist


def set_dependency_whitelist(whitelist: Iterable[str] | None) -> None:
    """Let only these modules, packages and distributions travel with functions, by name; None lets all of them.

    What else a function needs must exist in the environment of the job.
    """
    global _whitelist
    if isinstance(whitelist, str) or (whitelist is not None and not isinstance(whitelist, Iterable)):
        raise TypeError(f"The whitelist is a list of names of modules, or None for no limit, not {whitelist!r}.")
    names = None if whitelist is None else frozenset(whitelist)
    if names is not None and not all(isinstance(name, str) and name for name in names):
        raise TypeError("The whitelist holds names of modules as text.")
    # A package travels as a whole, with the parents of what was named.
    _whitelist = None if names is None else names | {name.partition(".")[0] for name in names}
