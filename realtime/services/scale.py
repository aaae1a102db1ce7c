"""Deciding how many machines there are, writing down why, and starting them and giving them back."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from common.exceptions import Refused
from realtime.capacity.autoscaler import decide
from realtime.capacity.snapshot import Plan
from realtime.models import Decision
from realtime.selectors.hosts import hosts_alive
from realtime.selectors.snapshot import IdleWatch, take_snapshot
from realtime.services import hosts
from realtime.services.foresee import Foresight

logger = logging.getLogger(__name__)

# How often a decision is written down that changes nothing: when its numbers changed, and when they did not.
CHANGED = timedelta(seconds=20)
SAME = timedelta(minutes=10)
KEEP = timedelta(days=30)
_watch, _foresight = IdleWatch(), Foresight()


def scale(
    *, now: datetime | None = None, watch: IdleWatch = _watch, foresight: Foresight = _foresight
) -> list[Decision]:
    """Decide, write down what is worth it, and carry it out; answers what was written. For the clock."""
    moment = now or timezone.now()
    snapshot = take_snapshot(watch=watch, expected=foresight.expected(moment), now=moment)
    last = _last_decisions(snapshot.core_types)
    written = []
    for plan in decide(snapshot).plans:
        if _is_news(plan, last.get(plan.core_type), moment):
            decision = _write(plan, moment)
            _carry_out(plan, decision)
            written.append(decision)
    return written


def _last_decisions(core_types: Sequence[str]) -> dict[str, Decision]:
    found = (Decision.objects.filter(core_type=code).order_by("-id").first() for code in core_types)
    return {decision.core_type_id: decision for decision in found if decision is not None}


def _numbers(of: Plan | Decision) -> tuple[int, ...]:
    return of.wanted, of.ready, of.booting, of.reserved, of.queued


def _is_news(plan: Plan, last: Decision | None, now: datetime) -> bool:
    if plan.is_act or last is None:
        return True
    return now - last.at >= (SAME if _numbers(plan) == _numbers(last) else CHANGED)


def _write(plan: Plan, now: datetime) -> Decision:
    return Decision.objects.create(
        at=now,
        core_type_id=plan.core_type,
        wanted=plan.wanted,
        ready=plan.ready,
        booting=plan.booting,
        reserved=plan.reserved,
        queued=plan.queued,
        work_s=plan.work,
        expected=plan.expected,
        launch=plan.launch,
        drain=len(plan.drain),
        reasons=list(plan.reasons),
    )


def _carry_out(plan: Plan, decision: Decision) -> None:
    """What the provider refuses is written down too; the next decision asks again."""
    problems = []
    if plan.launch:
        try:
            launched = hosts.launch(core_type=plan.core_type, number=plan.launch)
        except Refused as refusal:
            problems.append(str(refusal))
        else:
            decision.started = len(launched.hosts)
            problems.append(launched.problem)
    for host in hosts_alive().filter(name__in=plan.drain):
        try:
            hosts.drain(host=host)
        except Refused as refusal:
            problems.append(str(refusal))
    decision.problem = " ".join(filter(None, problems))[:500]
    if plan.is_act:
        decision.save(update_fields=["started", "problem"])
        logger.info("%s: %s", decision, " ".join(plan.reasons))


def forget_decisions(now: datetime | None = None) -> int:
    """Remove old decisions; answers how many. For the clock."""
    return Decision.objects.filter(at__lt=(now or timezone.now()) - KEEP).delete()[0]
