"""The settings behind PICLOUD_EC2_MACHINES."""

import re
from decimal import Decimal

from common.env import BadSetting
from common.money import MICROS_PER_DOLLAR

# c1=c7i.large:2:0.0893
_MACHINE = re.compile(r"([\w-]{1,8})=([a-z0-9-]+\.[a-z0-9-]+):([0-9]{1,3}):([0-9]{1,4}(?:\.[0-9]{1,6})?)")


def from_list(parts: list[str]) -> dict[str, tuple[str, int, int]]:
    """Instance type, slots, and micro-dollars per hour, by core type.

    Raises BadSetting for what cannot be understood.
    """
    machines = {}
    for part in parts:
        found = _MACHINE.fullmatch(part)
        if not found or not int(found[3]) or found[1] in machines:
            raise BadSetting(
                "PICLOUD_EC2_MACHINES must name each core type once with its instance type, slots and dollars per "
                f"hour, as in c1=c7i.large:2:0.0893,m1=r7i.large:2:0.1323; not {part!r}."
            )
        machines[found[1]] = (found[2], int(found[3]), int(Decimal(found[4]) * MICROS_PER_DOLLAR))
    return machines
