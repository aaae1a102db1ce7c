"""The archives of units that were made before, by their digests."""

from typing import NamedTuple

from cloud._dependencies import cache
from cloud._dependencies.units import Unit
from cloud._errors import CloudException

FORMAT = 1  # raise it when the same files would give another archive
_known: dict[str, tuple[object, "Archive"]] = {}


class Archive(NamedTuple):
    """The digest and the bytes of a unit's archive."""

    digest: str
    size: int


def known_archive(unit: Unit) -> Archive | None:
    """The archive of the unit as it is now, if it was made before; None when it has to be made."""
    try:
        stamp = unit.stamp()
        found = _known.get(unit.key)
        if found is not None and found[0] == stamp:
            return found[1]
        stored = cache.get(_cache_key(unit))
        if stored is None or stored[0] != _fingerprint(unit):
            return None
    except OSError as problem:
        raise unreadable(unit, problem) from problem
    archive = Archive(stored[1], stored[2])
    _known[unit.key] = (stamp, archive)
    return archive


class Seen(NamedTuple):
    """How the files of a unit looked at a moment."""

    stamp: object
    fingerprint: str


def look_at(unit: Unit) -> Seen:
    """To be done before the files are packed: what changes meanwhile is then seen as changed."""
    return Seen(unit.stamp(), _fingerprint(unit))


def remember(unit: Unit, archive: Archive, seen: Seen) -> None:
    """Know the archive again as long as the files of the unit are as they were seen."""
    cache.put(_cache_key(unit), [seen.fingerprint, *archive])
    _known[unit.key] = (seen.stamp, archive)


def _fingerprint(unit: Unit) -> str:
    return f"{FORMAT} {unit.fingerprint()}"


def _cache_key(unit: Unit) -> str:
    return f"archive {unit.key}"


def unreadable(unit: Unit, problem: OSError) -> CloudException:
    """What to raise when a file of the unit cannot be read."""
    return CloudException(f"{unit.label} cannot be read to be sent along: {problem}.", status="modules_unreadable")
