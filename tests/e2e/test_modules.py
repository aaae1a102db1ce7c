"""Modules travel to containers that have never seen them: real packages, and ones that are made for the test."""

from pathlib import Path

from tests.cloud.installing import install, write
from tests.stack import Account, Stack


def test_installed_packages_run_whole_pure_and_compiled(account: Account, tmp_path: Path) -> None:
    script = """
import cloud, attrs, rpds

@attrs.define
class Point:
    x: int

def look(point):
    from importlib.metadata import version
    return Point(point.x + 1), version("attrs") == attrs.__version__, len(rpds.HashTrieMap({1: 2}))

def fails():
    import attrs
    import a_module_of_nowhere

print(cloud.result(cloud.call(look, Point(1)), timeout=60))
sent = {row["name"]: row["stored"] for row in cloud.explain(look)["sent"]}
print(sent["attrs"], sent["rpds-py"])
try:
    cloud.result(cloud.call(fails), timeout=60)
except cloud.CloudException as problem:
    print(str(problem).splitlines()[-1])
"""
    lines = account.run(script, cwd=tmp_path).splitlines()
    assert lines[0] == "(Point(x=2), True, 1)"
    assert lines[-2] == "True True"
    assert lines[-1].startswith("Module 'a_module_of_nowhere' could not be imported in environment base. Sent along: ")
    assert "attrs 2" in lines[-1]


def test_an_editable_install_and_a_namespace_run_and_travel_on(account: Account, tmp_path: Path) -> None:
    project, site = tmp_path / "project", tmp_path / "lib" / "site-packages"
    write(project, {"linked/__init__.py": "from pathlib import Path\nWHO = Path(__file__).with_name('who.txt')\n"})
    write(project, {"linked/who.txt": "Alice", "README": "stays here"})
    install(site, "linked", "0.3", {}, editable=project, entry_points="[linked]\nwho = linked:WHO\n")
    write(tmp_path, {"acme/rates/today.py": "VALUE = 7\n"})
    script = f"""
import sys
sys.path += [{str(site)!r}, {str(project)!r}]
import cloud, linked, acme.rates.today

def inner():
    from importlib.metadata import version
    return linked.WHO.read_text(), version("linked"), acme.rates.today.VALUE

def outer():
    import cloud
    return inner(), cloud.call(inner)

here, jid = cloud.result(cloud.call(outer), timeout=60)
print(here, cloud.result(jid, timeout=60) == here)
"""
    assert account.run(script, cwd=tmp_path) == "('Alice', '0.3', 7) True\n"


def test_another_account_sees_nothing_of_them(stack: Stack, account: Account, tmp_path: Path) -> None:
    write(tmp_path, {"secret_of_alice.py": "X = 1\n"})
    see = "def see():\n    import os\n    return os.listdir('/opt/picloud-modules')\n"
    alice = "import cloud, secret_of_alice\n" + see.replace("import os", "import os, secret_of_alice")
    shown = "print(len(cloud.result(cloud.call(see), timeout=60)))\n"
    assert int(account.run(alice + shown, cwd=tmp_path)) > 0
    charlie = stack.account("charlie-of-modules")
    (tmp_path / "elsewhere").mkdir()
    assert charlie.run("import cloud\n" + see + shown, cwd=tmp_path / "elsewhere") == "0\n"
