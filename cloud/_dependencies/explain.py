"""What would travel with a function, and why: told before anything is sent."""

from collections.abc import Callable, Iterable
from typing import Any

from cloud._dependencies import foreign, shipping
from cloud._dependencies.archives import Archive, known_archive
from cloud._dependencies.discovery import Chain
from cloud._dependencies.fits import Environment
from cloud._dependencies.installed import canonical
from cloud._dependencies.units import Unit


def report_on(func: Callable[..., Any]) -> dict[str, Any]:
    """All that is to be known about the modules of a function, as plain data. Nothing is sent.

    PicklingError when the function itself cannot travel.
    """
    from cloud import _pickling  # noqa: PLC0415 - as in _submit: with the first function only

    names: set[str] = set()
    _pickling.dump_function(func, names)
    environment = shipping.environment()
    found = shipping.discover(foreign(names))
    units = [unit for unit, _ in found.units.values()]
    archives = {unit.key: archive for unit in units if (archive := known_archive(unit)) is not None}
    missing = set(shipping.missing([archive.digest for archive in archives.values()]))
    refused = {unit.key: reason for unit, _, reason in found.refused}
    return {
        "function": str(getattr(func, "__qualname__", None) or repr(func)),
        "environment": environment.name,
        "sent": [
            _unit(unit, why, environment, archives, missing)
            for unit, why in found.units.values()
            if unit.key not in refused
        ],
        "carried": [name for _, name in found.carried],
        "present": [
            {"name": name, "version": version, "why": list(why)} for name, (version, why) in found.present.items()
        ],
        "left_out": [{"name": name, "why": list(why)} for name, why in found.left_out.items()],
        "refused": [
            {"name": unit.name, "version": unit.version, "why": list(why), "reason": refused[unit.key]}
            for unit, why, _ in found.refused
        ],
        "unfollowed": [{"file": file, "line": line, "code": code} for file, line, code in found.unfollowed],
        "unknown": [{"name": name, "why": list(why)} for name, why in found.unknown.items()],
    }


def _unit(
    unit: Unit, why: Chain, environment: Environment, archives: dict[str, Archive], missing: set[str]
) -> dict[str, Any]:
    archive = archives.get(unit.key)
    has = environment.packages.get(canonical(unit.name)) if unit.kind == "distribution" else None
    return {
        "name": unit.name,
        "version": unit.version,
        "kind": unit.kind,
        "from": unit.origin,
        "why": list(why),
        "files": len(unit.files()),
        "bytes": unit.size(),
        # None: an archive of it was never made here, so nobody knows whether the service has it.
        "stored": archive.digest not in missing if archive else None,
        "environment_has": has,
    }


def text_of(report: dict[str, Any]) -> str:
    """The report for people."""
    environment = report["environment"]
    lines = [f"{report['function']} in environment {environment}:"]
    if not any(report[part] for part in ("sent", "carried", "refused", "left_out", "unknown")):
        lines.append("  nothing has to be sent along.")
    lines += [_line_of_sent(row, environment) for row in report["sent"]]
    lines += [f"  carried on  {name}, which came to this job" for name in report["carried"]]
    lines += [f"  REFUSED     {_label(row)}: {row['reason']}{_way(row['why'])}" for row in report["refused"]]
    lines += [f"  left out    {row['name']}: not on the whitelist{_way(row['why'])}" for row in report["left_out"]]
    lines += [f"  unknown     {row['name']}: it has no file that could be sent" for row in report["unknown"]]
    lines += [f"  there       {_label(row)}{_way(row['why'])}" for row in report["present"]]
    lines += [f"  not followed  {row['file']}:{row['line']}  {row['code']}" for row in report["unfollowed"]]
    if report["unfollowed"]:
        lines.append("  What is imported by a name made at run time is sent only if it is imported elsewhere too.")
    return "\n".join(lines)


def _line_of_sent(row: dict[str, Any], environment: str) -> str:
    verb = "stored" if row["stored"] else "to send"
    size = f"{_size(row['bytes'])} in {_counted(row['files'], 'file')}"
    note = f"; {environment} has {row['environment_has']}" if row["environment_has"] else ""
    return (
        f"  {verb:<11} {_label(row)} ({row['kind']}, {size}{note}){_way(row['why'])}\n              from {row['from']}"
    )


def _size(number: int) -> str:
    return _counted(number, "byte") if number < 1000 else f"{number / 1000:,.0f} kB"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _label(row: dict[str, Any]) -> str:
    return f"{row['name']} {row['version']}".strip()


def _way(why: Iterable[str]) -> str:
    steps = list(why)
    return f"  ← {' ← '.join(reversed(steps[:-1]))}" if len(steps) > 1 else ""
