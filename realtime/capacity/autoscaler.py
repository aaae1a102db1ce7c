"""How many machines to rent: a pure function from what there is and is to be done to what to start and to give back.

The rule: a core is rented when it would be busy for a whole billing increment. A hundred jobs of an hour get a hundred
cores, a hundred jobs of half an hour get fifty. docs/explanation/autoscaling.md has it in words, with figures.
"""

from realtime.capacity.need import Need, Stock, needs_of, stocks_of
from realtime.capacity.reasons import Reasons
from realtime.capacity.snapshot import Decision, Machine, Plan, Rules, Snapshot


def decide(snapshot: Snapshot) -> Decision:
    """What to do now, for each core type, with the reasons. Takes time in proportion to what is in the snapshot."""
    needs = needs_of(snapshot)
    stocks = stocks_of(snapshot, needs)
    # Those that are being given back are still paid for.
    room = max(0, snapshot.rules.max_machines - sum(not machine.is_own for machine in snapshot.machines))
    plans = []
    # Floors that somebody pays for come first, then whoever lacks most.
    for need in sorted(needs, key=lambda need: (-need.reserved, stocks[need.core_type].cores - need.wanted)):
        plan = _plan(need, stocks[need.core_type], snapshot, room)
        room -= plan.launch
        plans.append(plan)
    return Decision(plans=tuple(sorted(plans, key=lambda plan: plan.core_type)))


def _plan(need: Need, stock: Stock, snapshot: Snapshot, room: int) -> Plan:
    rules, slots = snapshot.rules, snapshot.shapes.get(need.core_type, 0)
    says = Reasons(need.core_type, rules)
    says.need(need, stock, most=snapshot.most_cores(need.core_type))
    lacking = need.wanted - stock.cores
    started = 0
    if lacking > 0 and not slots:
        says.nothing_to_rent(lacking)
    elif lacking > 0:
        asked = -(-lacking // slots)
        started = min(asked, room)
        says.start(started, asked, slots)
    drained = _to_drain(need, stock, rules)
    says.drain(len(drained))
    return Plan(
        core_type=need.core_type,
        wanted=need.wanted,
        keep=need.keep,
        ready=stock.there,
        booting=stock.booting,
        reserved=need.reserved,
        queued=need.queued,
        work=need.work,
        expected=need.expected_later,
        launch=started,
        drain=tuple(machine.name for machine in drained),
        reasons=says.sentences(),
    )


def _to_drain(need: Need, stock: Stock, rules: Rules) -> list[Machine]:
    """Idle machines beyond those that are kept, near the end of the time that is paid: those first that end first."""
    surplus = stock.cores - need.keep
    if surplus <= 0:
        return []
    drained = []
    for machine in sorted(
        filter(rules.may_drain, stock.machines), key=lambda machine: (machine.paid_for, machine.name)
    ):
        if machine.slots <= surplus:
            surplus -= machine.slots
            drained.append(machine)
    return drained
