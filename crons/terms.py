"""What is said of a cron besides the function: its label, its schedule and how it behaves, checked one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

from common.exceptions import Refused
from crons.models import DEFAULT_GRACE_S, MAX_LABEL
from crons.schedule import Schedule
from crons.states import CatchUp, Overlap

LONGEST_GRACE_S = 7 * 24 * 3600
KNOWN = ("label", "schedule", "timezone", "overlap", "catch_up", "start_grace_s")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A label that can be one, a schedule that fires, and known ways to behave."""

    label: str
    schedule: Schedule
    overlap: Overlap = Overlap.ALLOW
    catch_up: CatchUp = CatchUp.LAST
    start_grace_s: int = DEFAULT_GRACE_S


def check_label(label: object) -> str:
    """Raises Refused for what cannot be a label: it stands in addresses, and in the labels of jobs."""
    if not isinstance(label, str) or not label:
        raise _bad_label("A cron needs a label: text that names it.")
    if not label.isascii() or not label.isprintable():
        raise _bad_label(f"The label {shown(label)} must be printable ASCII text on one line.")
    if len(label) > MAX_LABEL:
        raise _bad_label(f"The label has {len(label)} characters; {MAX_LABEL} is the limit.")
    if label != label.strip():
        raise _bad_label(f"The label {shown(label)} must not begin or end with a space.")
    if "/" in label or label in (".", ".."):
        raise _bad_label(f"The label {shown(label)} must hold no slash and not be . or ..: it is part of addresses.")
    return label


def _bad_label(sentence: str) -> Refused:
    return Refused("bad_label", sentence)


def check_schedule(schedule: object, timezone: object = "UTC") -> Schedule:
    """Raises Refused for a schedule or a zone that is none."""
    if not isinstance(schedule, str) and not (isinstance(schedule, list | tuple) and len(schedule) <= 20):
        raise Refused(
            "bad_schedule", f"A schedule is text such as '*/5 * * * *', or five fields, not {shown(schedule)}."
        )
    if not isinstance(timezone, str):
        raise Refused("unknown_zone", f"timezone must be an IANA name such as Europe/Berlin, not {shown(timezone)}.")
    return Schedule.parse(schedule, timezone)


def check_overlap(value: object) -> Overlap:
    return Overlap(_choice("overlap", value, Overlap.values))


def check_catch_up(value: object) -> CatchUp:
    return CatchUp(_choice("catch_up", value, CatchUp.values))


def _choice(name: str, value: object, choices: list[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Refused("bad_option", f"{name} must be one of {', '.join(choices)}, not {shown(value)}.")
    return value


def check_grace(value: object) -> int:
    """Whole seconds."""
    if type(value) is not int or not 1 <= value <= LONGEST_GRACE_S:
        raise Refused("bad_option", f"start_grace_s must be 1 to {LONGEST_GRACE_S} seconds, not {shown(value)}.")
    return value


def parse_terms(raw: object) -> Terms:
    """The terms as JSON brings them. Raises Refused, naming the first one that is wrong."""
    if not isinstance(raw, Mapping):
        raise Refused("bad_option", "cron must be an object with a label and a schedule.")
    unknown = sorted(set(raw) - set(KNOWN))
    if unknown:
        raise Refused("unknown_option", f"cron has no option {shown(unknown[0])}; known are {', '.join(KNOWN)}.")
    options: dict[str, Any] = {name: raw[name] for name in KNOWN if raw.get(name) is not None}
    return Terms(
        label=check_label(options.get("label")),
        schedule=check_schedule(options.get("schedule"), options.get("timezone", "UTC")),
        overlap=check_overlap(options.get("overlap", Overlap.ALLOW)),
        catch_up=check_catch_up(options.get("catch_up", CatchUp.LAST)),
        start_grace_s=check_grace(options.get("start_grace_s", DEFAULT_GRACE_S)),
    )
