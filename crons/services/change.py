"""Pausing crons, and changing when and how they run. Each raises NotFound for a cron that the account does not have."""

from collections.abc import Mapping
from reprlib import repr as shown

from django.db import transaction
from django.utils.timezone import now as current_time

from accounts.models import User
from common.exceptions import Refused
from crons.models import Cron
from crons.selectors import cron_for
from crons.services.events import record_event
from crons.terms import check_catch_up, check_grace, check_overlap, check_schedule


def pause(*, account: User, label: str) -> Cron:
    """Run it no more until it is resumed; what is running goes on. A paused one stays as it is."""
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        if cron.paused_at is None:
            cron.paused_at, cron.next_at = current_time(), None
            cron.save(update_fields=["paused_at", "next_at"])
            record_event(cron, "cron.paused")
    return cron


def resume(*, account: User, label: str) -> Cron:
    """Go on by its schedule from now; nothing is caught up with. One that is not paused stays as it is."""
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        if cron.paused_at is not None:
            cron.paused_at, cron.next_at = None, cron.parsed.next_after(current_time())
            cron.save(update_fields=["paused_at", "next_at"])
            record_event(cron, "cron.resumed")
    return cron


def change_schedule(*, account: User, label: str, schedule: object, timezone: object = "UTC") -> Cron:
    """Give it another schedule, or its own in another zone, from now on. Raises Refused for what is none."""
    parsed = check_schedule(schedule, timezone)
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        before = f"{cron.schedule} {cron.timezone}"
        after = f"{parsed.text} {parsed.timezone}"
        if before != after:
            cron.schedule, cron.timezone = parsed.text, parsed.timezone
            cron.next_at = None if cron.is_paused else parsed.next_after(current_time())
            cron.save(update_fields=["schedule", "timezone", "next_at"])
            record_event(cron, "cron.rescheduled", before=before, after=after)
    return cron


def set_options(
    *,
    account: User,
    label: str,
    overlap: object = None,
    catch_up: object = None,
    start_grace_s: object = None,
    alerts: bool | None = None,
) -> Cron:
    """Change how it behaves; None leaves an option as it is. Raises Refused for a value that an option cannot have."""
    wanted = {
        "overlap": None if overlap is None else check_overlap(overlap),
        "catch_up": None if catch_up is None else check_catch_up(catch_up),
        "start_grace_s": None if start_grace_s is None else check_grace(start_grace_s),
        "alerts": alerts,
    }
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        changed = {name: value for name, value in wanted.items() if value is not None and value != getattr(cron, name)}
        if changed:
            before = ", ".join(f"{name} {getattr(cron, name)}" for name in changed)
            for name, value in changed.items():
                setattr(cron, name, value)
            cron.save(update_fields=list(changed))
            after = ", ".join(f"{name} {value}" for name, value in changed.items())
            record_event(cron, "cron.changed", before=before, after=after)
    return cron


KNOWN = ("schedule", "timezone", "paused", "overlap", "catch_up", "start_grace_s", "alerts")


def change(*, account: User, label: str, wanted: Mapping[str, object]) -> Cron:
    """Make several changes at once, or none: what JSON brings, by the names in `KNOWN`. Raises Refused."""
    unknown = sorted(set(wanted) - set(KNOWN))
    if unknown:
        raise Refused("unknown_option", f"A cron has no {shown(unknown[0])} to change; it has {', '.join(KNOWN)}.")
    for name in ("paused", "alerts"):
        if name in wanted and type(wanted[name]) is not bool:
            raise Refused("bad_option", f"{name} must be true or false, not {shown(wanted[name])}.")
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        if "schedule" in wanted or "timezone" in wanted:
            schedule, zone = wanted.get("schedule", cron.schedule), wanted.get("timezone", cron.timezone)
            change_schedule(account=account, label=label, schedule=schedule, timezone=zone)
        options = {name: wanted[name] for name in ("overlap", "catch_up", "start_grace_s") if name in wanted}
        alerts = wanted["alerts"] is True if "alerts" in wanted else None
        cron = set_options(account=account, label=label, alerts=alerts, **options)
        if "paused" in wanted:
            cron = (pause if wanted["paused"] else resume)(account=account, label=label)
    return cron
