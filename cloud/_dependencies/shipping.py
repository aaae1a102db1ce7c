"""Sends the modules that a function needs and that the service does not have; the second time nothing."""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from cloud import _client, _transfer
from cloud._config import config
from cloud._dependencies import cache, choice
from cloud._dependencies.archives import Archive, known_archive
from cloud._dependencies.discovery import Discovery, Found
from cloud._dependencies.fits import Environment
from cloud._dependencies.installed import canonical
from cloud._dependencies.places import place_of
from cloud._dependencies.units import Unit
from cloud._errors import CloudException

ENVIRONMENT = "base"
# How long files here are taken to be as they were, so that a loop of calls does not look at each of them each time.
RECHECK_SECONDS = 1.0
ENVIRONMENT_SECONDS = 60.0

Server = tuple[str, str]
Named = list[dict[str, str]]


class _Plan(NamedTuple):
    until: float
    modules: Named


_plans: dict[tuple[Any, ...], _Plan] = {}
_environments: dict[Server, tuple[float, Environment]] = {}
_told: set[str] = set()


def modules_for(names: frozenset[str]) -> Named:
    """Digest and name of each archive that a job needs for these modules, all of them stored by the service.

    CloudException when one cannot run there. `names` as `foreign` gives them.
    """
    if not config.transfers_dependencies():
        return []
    key = (_client.server(), choice.whitelist(), names)
    plan = _plans.get(key)
    if plan is None or time.monotonic() >= plan.until:
        modules = _ship(discover(names))
        plan = _plans[key] = _Plan(time.monotonic() + RECHECK_SECONDS, modules)
    return plan.modules


def known_modules_for(names: frozenset[str]) -> Named | None:
    """What `modules_for` would answer, without packing or sending anything; None when something is yet to be packed."""
    if not config.transfers_dependencies():
        return []
    found = discover(names)
    archives = [known_archive(unit) for unit, _ in found.units.values()]
    return _named(found, [archive for archive in archives if archive is not None]) if all(archives) else None


def send_again(names: frozenset[str], modules: Named) -> Named:
    """The same, when the service has said that it misses some of them after all."""
    _plans.clear()
    return _ship(discover(names), forgotten=missing([module["digest"] for module in modules]))


def discover(names: frozenset[str]) -> Found:
    """What must travel for these modules, as files are now."""
    place_of.cache_clear()
    whitelist = choice.whitelist()
    return Discovery(environment(), whitelist).follow(names)


def environment() -> Environment:
    """What the environment has that jobs will run in."""
    server = _client.server()
    known = _environments.get(server)
    if known is None or time.monotonic() >= known[0]:
        told = _client.request_json("GET", f"/api/v1/environments/{quote(ENVIRONMENT)}")
        there = Environment(told["name"], told["python"], told["platform"], told["packages"])
        known = _environments[server] = (time.monotonic() + ENVIRONMENT_SECONDS, there)
    return known[1]


def missing(digests: list[str]) -> list[str]:
    """Those of the archives that the service does not have."""
    return list(_client.request_json("POST", "/api/v1/modules", {"digests": digests})["missing"]) if digests else []


def refusal(found: Found) -> str:
    """Why the function cannot be sent, with what to do; nothing when it can."""
    if not found.refused:
        return ""
    unit, why, reason = found.refused[0]
    way = f" (imported by {' → '.join(why[:-1])})" if len(why) > 1 else ""
    return (
        f"{unit.label}{way} cannot travel: {reason}. Use an environment that has it, "
        "or leave it out with cloud.set_dependency_whitelist."
    )


def _ship(found: Found, *, forgotten: Sequence[str] = ()) -> Named:
    if sentence := refusal(found):
        raise CloudException(sentence, status="modules_do_not_fit")
    units = [unit for unit, _ in found.units.values()]
    archives = {unit.key: archive for unit in units if (archive := known_archive(unit)) is not None}
    to_make = [unit for unit in units if unit.key not in archives or archives[unit.key].digest in forgotten]
    if to_make:
        archives |= _send(to_make)
    return _named(found, [archives[unit.key] for unit in units])


def _named(found: Found, archives: Sequence[Archive]) -> Named:
    """Digest and name of all that travels, from the archives of the units in their order."""
    units = [unit for unit, _ in found.units.values()]
    sent = [{"digest": archive.digest, "name": unit.label[:200]} for unit, archive in zip(units, archives, strict=True)]
    carried = [{"digest": digest, "name": name} for digest, name in found.carried]
    # Two units can have the same bytes; the service takes each once.
    return list({module["digest"]: module for module in [*carried, *sent]}.values())


def _send(units: list[Unit]) -> dict[str, Any]:
    """Make the archives of these units, and send those that the service does not have."""
    # When nothing has changed, which is nearly always, nothing is packed.
    from cloud._dependencies.packing import make_archive, workshop  # noqa: PLC0415

    archives = {}
    with workshop() as folder:
        for number, unit in enumerate(units):
            archives[unit.key] = make_archive(unit, folder / f"{number}.zip")
        wanted = set(missing([archive.digest for archive in archives.values()]))
        for number, unit in enumerate(units):
            digest = archives[unit.key].digest
            if digest in wanted:
                wanted.remove(digest)
                _tell_of_version(unit)
                _upload(digest, unit.label, folder / f"{number}.zip")
    cache.save()
    return archives


def _upload(digest: str, name: str, path: Any) -> None:
    with path.open("rb") as file:
        upload = _transfer.Upload(file, name)
        headers = {"Content-Type": "application/zip", "Content-Length": str(upload.size)}
        _client.request("PUT", f"/api/v1/modules/{digest}", body=upload.parts, headers=headers)


def _tell_of_version(unit: Unit) -> None:
    """Say once that a job gets another version than its environment has."""
    there = environment()
    has = there.packages.get(canonical(unit.name)) if unit.kind == "distribution" else None
    if has and has != unit.version and unit.key not in _told and config.progress:
        _told.add(unit.key)
        sys.stderr.write(
            f"PiCloud: {unit.label} travels with the function, because environment {there.name} has {has}.\n"
        )
