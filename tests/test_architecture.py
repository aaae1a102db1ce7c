"""The floors of the house: who may import whom, and who may open a pickle."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each room may import those that stand after it.
FLOORS = [
    "picloud_site", "api", "billing", "realtime", "crons", "jobs", "environments", "storage", "accounts", "common",
]  # fmt: skip
MAY_IMPORT = {room: set(FLOORS[place:]) for place, room in enumerate(FLOORS)}
MAY_IMPORT["worker"] = {"worker", *FLOORS[FLOORS.index("jobs") :]}
MAY_IMPORT["cloud"] = {"cloud"}
# What opens a pickle runs what is in it.
PICKLES = {"pickle", "cloudpickle", "dill", "_pickle", "joblib", "shelve", "marshal"}
# The client, and what runs inside the container.
MAY_PICKLE = ("cloud/", "worker/runner.py", "worker/inside/")


def sources(room: str) -> list[Path]:
    return [path for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]


def modules(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by dots; say the whole name"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (str(part.value) for part in node.args[:1] if isinstance(part, ast.Constant))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_down(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(room)
        for module in modules(path)
        if (top := module.partition(".")[0]) in MAY_IMPORT and top not in MAY_IMPORT[room]
    ]
    assert sources(room), f"the room {room} is empty"
    assert wrong == []


def namespaces() -> dict[str, str]:
    """The rooms whose addresses have a name, by that name."""
    found = {}
    for room in FLOORS:
        path = ROOT / room / "urls.py"
        if path.exists() and (said := re.search(r'^app_name = "(\w+)"', path.read_text(), re.MULTILINE)):
            found[said[1]] = room
    return found


def test_addresses_point_down() -> None:
    known = namespaces()
    wrong = [
        f"{path.relative_to(ROOT)} names {node.value}"
        for room in FLOORS
        for path in sources(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z]+:[a-z_]+", str(node.value))
        if (above := known.get(str(node.value).partition(":")[0])) and above not in MAY_IMPORT[room]
    ]
    assert wrong == []


def template_parts(path: Path) -> Iterator[tuple[str, str]]:
    """What a template takes from elsewhere: libraries of tags, addresses and templates, by the names of their rooms."""
    text = path.read_text()
    for names in re.findall(r"{% load (?:\w+ from )?([^%]+?) %}", text):
        yield from (("tags", name) for name in names.split())
    yield from (("address", name) for name in re.findall(r"{% url ['\"]?(\w+)", text))
    yield from (("folder", name) for name in re.findall(r"{% (?:include|extends) ['\"]?([^/'\" ]+)", text))


def test_templates_point_down() -> None:
    """Those of a room stand in a folder of its name, or of the name of its addresses; all others stand above the rooms.

    To show what a room above adds, a room includes a template of `site/` by name.
    """
    folders = {room: room for room in FLOORS} | namespaces()
    tags = {path.stem: room for room in FLOORS for path in (ROOT / room / "templatetags").glob("*.py")}
    rooms = {"address": namespaces(), "folder": folders, "tags": tags}
    templates = [path for folder in folders for path in sorted((ROOT / "templates" / folder).rglob("*.*"))]
    wrong = [
        f"{path.relative_to(ROOT)} takes the {kind} {name}"
        for path in templates
        for kind, name in template_parts(path)
        if rooms[kind].get(name, "common") not in MAY_IMPORT[folders[path.relative_to(ROOT).parts[1]]]
    ]
    assert len({path.relative_to(ROOT).parts[1] for path in templates}) >= 4
    assert wrong == []


def test_only_the_client_and_the_runner_know_pickles() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for room in MAY_IMPORT
        for path in sources(room)
        for module in modules(path)
        if module.partition(".")[0] in PICKLES and not str(path.relative_to(ROOT)).startswith(MAY_PICKLE)
    ]
    assert wrong == []


def top_level_imports(path: Path, known: set[str]) -> set[str]:
    """Modules of ours that are imported when this one is loaded."""
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return (found & known) - {name_of(path)}


def test_no_module_imports_itself_by_a_detour() -> None:
    files = {name_of(path): path for room in MAY_IMPORT for path in sources(room)}
    # A package and its modules name each other freely: __init__ gathers what they hold.
    graph = {
        name: {other for other in top_level_imports(path, set(files)) if not name.startswith(f"{other}.")}
        for name, path in files.items()
    }
    while leaves := {name for name, imports in graph.items() if not imports}:
        graph = {name: imports - leaves for name, imports in graph.items() if name not in leaves}
    assert graph == {}, "these import each other in a ring, or stand above one"


def test_what_runs_inside_needs_nothing_but_the_standard_library_and_cloudpickle() -> None:
    allowed = sys.stdlib_module_names | {"cloudpickle", "numpy"}
    inside = [ROOT / "worker/runner.py", *sources("worker/inside")]
    ours = ("worker.inside", "worker.runner")
    found = {module for path in inside for module in modules(path) if not module.startswith(ours)}
    assert {module for module in found if module.partition(".")[0] not in allowed} == set()


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_names_a_package_index_or_a_place_on_one_machine() -> None:
    # Split, so that this file does not name them itself.
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js.", "deb." + "debian.org", "pkg" + ".dev"]
    places = ["/ho" + "me/(?!picloud)[a-z]+/", "/ro" + "ot/", "/wo" + "rk/"]
    pattern = re.compile("|".join([*map(re.escape, hosts), *(f"(?<![\\w.}}]){place}" for place in places)]))
    wrong = []
    for path in tracked():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {line.strip()[:100]}" for line in lines if pattern.search(line)]
    assert wrong == []


def test_files_stay_readable() -> None:
    long = [
        str(path.relative_to(ROOT))
        for room in [*MAY_IMPORT, "tests", "scripts", "examples", "benchmarks"]
        for path in sources(room)
        if len(path.read_text().splitlines()) > 500
    ]
    assert long == []
