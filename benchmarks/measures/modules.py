"""What modules add to a submit when nothing has changed: in one process, and in a new one."""

import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.arena import Arena
from benchmarks.harness.figures import Table, spread

FILES = 100  # of the caller's own package
# Django stands for a large distribution: it is here, and no job's environment has it.
SUBMITS = """
import json, sys, time
import cloud

def plain():
    pass

def with_own():
    import load

def with_both():
    import django, load

def submit(function):
    began = time.perf_counter()
    cloud.call(function, _label="modules")
    return (time.perf_counter() - began) * 1000

submit(plain)
first = {one.__name__: submit(one) for one in (plain, with_own, with_both)}
again = {name: [] for name in first}
for _ in range(int(sys.argv[1])):
    for one in (plain, with_own, with_both):
        again[one.__name__].append(submit(one))
print(json.dumps([first, again]))
"""


def second_submit(arena: Arena) -> Table:
    """Submits alone, without their results; of a package of 100 files, and of Django with what it requires."""
    rounds = max(3, arena.rounds)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "load").mkdir()
        (folder / "load" / "__init__.py").write_text("".join(f"from load import m{n}\n" for n in range(FILES)))
        for number in range(FILES):
            (folder / "load" / f"m{number}.py").write_text(f"import json\nX = {number}\n")
        script = SUBMITS.replace("sys.argv[1]", str(arena.number(200)))
        # The first process packs and sends.
        found = [json.loads(arena.account.run(script, cwd=folder, timeout=300)) for _ in range(rounds + 1)][1:]
    rows, data = [], {}
    for function, text in {"plain": "none", "with_own": "an own package", "with_both": "that and Django"}.items():
        first = [one[0][function] for one in found]
        again = [statistics.median(one[1][function]) for one in found]
        rows.append([text, f"{statistics.median(again):.2f}", spread(again, ".2f"), f"{statistics.median(first):.0f}"])
        data[text] = {"again": again, "first": first}
    return Table(
        key="k",
        title="Submits whose modules are known",
        columns=["modules", "ms in the same process", "least / median / greatest", "ms of the first in a new process"],
        rows=rows,
        notes=["`cloud.call` alone. The server has the archives, and the files are as they were."],
        data=data,
    )
