"""From the names that a pickle needs to what must travel: imports followed through the caller's own sources."""

import json
import os
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from cloud._dependencies import cache, foreign
from cloud._dependencies.fits import Environment, why_not
from cloud._dependencies.installed import Distribution, Requirement, canonical, distribution_named, owner_of
from cloud._dependencies.places import Place, place_of
from cloud._dependencies.sources import Imports, imports_in
from cloud._dependencies.units import Unit, of_distribution, of_place

Chain = tuple[str, ...]
# The client itself, which every environment has.
_CLIENT = frozenset({"picloud", "cloudpickle"})


@dataclass
class Found:
    """What was found out about the modules of a function. `why` are the imports that lead to a thing."""

    units: dict[str, tuple[Unit, Chain]] = field(default_factory=dict)
    present: dict[str, tuple[str, Chain]] = field(default_factory=dict)  # version, by name
    left_out: dict[str, Chain] = field(default_factory=dict)
    refused: list[tuple[Unit, Chain, str]] = field(default_factory=list)
    unfollowed: list[tuple[str, int, str]] = field(default_factory=list)  # file, line, what stands there
    unknown: dict[str, Chain] = field(default_factory=dict)  # needed by the pickle, and without a file
    carried: list[tuple[str, str]] = field(default_factory=list)  # digest and name, of what came to this very job


class Discovery:
    """Follows names through one machine's modules, against one environment."""

    def __init__(self, environment: Environment, whitelist: Collection[str] | None) -> None:
        self.found = Found()
        self._environment = environment
        self._whitelist = whitelist
        self._seen: set[str] = set()
        self._distributions: set[tuple[str, str]] = set()
        self._waiting: deque[tuple[str, Chain]] = deque()

    def follow(self, names: Iterable[str], why: Chain = ()) -> Found:
        """All that these modules need."""
        for name in sorted(names):
            if place_of(name) is None and place_of(name.partition(".")[0]) is None:
                self.found.unknown[name] = why
            self._wait_for(name, why)
        while self._waiting:
            self._visit(*self._waiting.popleft())
        return self.found

    def _wait_for(self, name: str, why: Chain) -> None:
        parts = name.split(".")
        # A module brings the packages that it is in.
        for end in range(1, len(parts) + 1):
            whole = ".".join(parts[:end])
            if whole not in self._seen and foreign([whole]):
                self._seen.add(whole)
                self._waiting.append((whole, (*why, whole)))

    def _visit(self, name: str, why: Chain) -> None:
        place = place_of(name)
        if place is None or (not place.file and not place.archive):
            # A namespace package matters by what is in it.
            return
        if sent := came_with_this_job(place.file or place.archive):
            self.found.carried = sent
            return
        owner = None if place.archive else owner_of(place.file)
        if owner is not None and not owner.editable_root:
            self._take_distribution(Requirement(canonical(owner.name), frozenset()), owner, why)
            return
        top = place_of(name.partition(".")[0]) or place
        if self._take(of_place(place, top, owner), why):
            self._follow_source(place, why)
            if owner is not None:
                self._take_requirements(owner, frozenset(), why)

    def _take(self, unit: Unit, why: Chain) -> bool:
        """Whether it travels; then it is noted once, with the first way to it."""
        if unit.key in self.found.units:
            return True
        if self._whitelist is not None and not unit.names() & set(self._whitelist):
            self.found.left_out.setdefault(unit.label, why)
            return False
        if reason := why_not(unit, self._environment):
            self.found.refused.append((unit, why, reason))
        self.found.units[unit.key] = (unit, why)
        return True

    def _take_distribution(self, wanted: Requirement, distribution: Distribution | None, why: Chain) -> None:
        if wanted.name in _CLIENT or distribution is None:
            return
        new = {(wanted.name, extra) for extra in ("", *wanted.extras)} - self._distributions
        if not new:
            return
        self._distributions |= new
        has = self._environment.packages.get(wanted.name)
        if has == distribution.version and not distribution.editable_root:
            self.found.present.setdefault(distribution.name, (distribution.version, why))
        elif distribution.editable_root:
            for top in distribution.tops:
                self._wait_for(top, why)
        elif self._take(of_distribution(distribution), why):
            self._take_requirements(distribution, wanted.extras, why)

    def _take_requirements(self, distribution: Distribution, extras: frozenset[str], why: Chain) -> None:
        for needed in distribution.requirements(extras):
            chain = (*why, needed.name) if why[-1:] != (needed.name,) else why
            self._take_distribution(needed, distribution_named(needed.name), chain)

    def _follow_source(self, place: Place, why: Chain) -> None:
        if not place.is_source:
            return
        imports = imports_of(place)
        for name in imports.names:
            if name not in self._seen and foreign([name]) and (place_of(name) or place_of(name.partition(".")[0])):
                self._wait_for(name, why)
        self.found.unfollowed += [(place.file, line, text) for line, text in imports.unfollowed]


def imports_of(place: Place) -> Imports:
    """What a source imports; remembered for as long as its file does not change."""
    if place.archive:
        return _imports_in_archive(place, os.stat(place.archive).st_mtime_ns)
    status = os.stat(place.file)
    stamp = [status.st_mtime_ns, status.st_size, place.package]
    key = f"imports {place.file}"
    known = cache.get(key)
    if known is None or known[0] != stamp:
        with open(place.file, "rb") as file:
            imports = imports_in(file.read(), place.package)
        cache.put(key, [stamp, list(imports.names), [list(pair) for pair in imports.unfollowed]])
        return imports
    return Imports(tuple(known[1]), tuple((line, text) for line, text in known[2]))


@lru_cache(maxsize=1000)
def _imports_in_archive(place: Place, _changed: int) -> Imports:
    import zipfile  # noqa: PLC0415 - few programs import from one

    with zipfile.ZipFile(place.archive) as archive:
        source = archive.read(os.path.relpath(place.file, place.archive).replace(os.sep, "/"))
    return imports_in(source, place.package)


def came_with_this_job(path: str) -> list[tuple[str, str]]:
    """In a job whose modules were sent along, all of those when the file is one of them; else nothing."""
    text = os.environ.get("PICLOUD_MODULES")
    if not text:
        return []
    sent = [(str(folder), str(name)) for folder, name in json.loads(text)]
    if not any(path.startswith(folder + os.sep) for folder, _ in sent):
        return []
    return [(os.path.basename(folder), name) for folder, name in sent]
