"""Memory of all processes of a stack: the proportional set size, in which shared pages count once."""

import re
import time
from pathlib import Path

from benchmarks.harness.figures import Table
from tests.stack import Stack, command_line, descendants
from tests.waiting import wait_until

QUIET_SHARE = 0.05  # of a core: below it a stack counts as idle
NAMES = {
    "picloud_site.supervisor": "supervisor",
    "picloud_site.web": "web",
    "manage.py worker": "worker",
    "manage.py clock": "clock",
    "valkey-server": "valkey",
    "system service": "podman service",
    "conmon": "conmon, beside each sandbox",
    "inside/boot.py": "runner, inside each sandbox",
}


def idle(stack: Stack) -> dict[str, list[float]]:
    """MB of each process by name, once the stack does nothing."""
    assert stack.process is not None
    root = stack.process.pid
    wait_until(lambda: _is_idle(root), timeout=60, what="the stack to be idle")
    found: dict[str, list[float]] = {}
    for pid in [root, *descendants(root)]:
        if (size := pss(pid)) is not None:
            found.setdefault(_name(command_line(pid)), []).append(size)
    return found


def pss(pid: int) -> float | None:
    """MB of a process; None when it has gone, or has no memory of its own."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None


def _is_idle(root: int) -> bool:
    """Whether all of it used almost no processor time for a second."""
    before = _ticks(root)
    time.sleep(1)
    return _ticks(root) - before < QUIET_SHARE * 100


def _ticks(root: int) -> int:
    """Processor time used so far, in hundredths of a second."""
    total = 0
    for pid in [root, *descendants(root)]:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total


def _name(command: str) -> str:
    program = command.partition(" ")[0].rpartition("/")[2]
    return next((name for mark, name in NAMES.items() if mark in command), program)


def table(before: dict[str, list[float]], after: dict[str, list[float]]) -> Table:
    """`before` on a fresh stack, `after` when the other measures are through."""
    rows = []
    for name in sorted({*before, *after}, key=lambda name: -sum(after.get(name, [0]))):
        sizes = [before.get(name, []), after.get(name, [])]
        rows.append([name, *(" + ".join(f"{size:.1f}" for size in one) or "-" for one in sizes)])
    totals = [sum(map(sum, one.values())) for one in (before, after)]
    rows.append(["all of it", *(f"{total:.0f}" for total in totals)])
    return Table(
        key="g",
        title="Memory of the idle stack, MB",
        columns=["2 slots", "fresh", "after the other measures"],
        rows=rows,
        notes=["PSS: what several processes share counts once. Each sandbox is one container."],
        data={"before": before, "after": after},
    )
