"""Modules that travel with a job: unpacked inside, importable and read-only there, and gone with the sandbox."""

import hashlib
import io
import os
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.services.modules import Archive
from tests.worker.archives import archive, link
from tests.worker.conftest import Bench, make_sandbox
from worker import modules
from worker.modules import ModulesFailed, bring_modules
from worker.sandbox import SandboxLost, shelf
from worker.sandbox.scratch import Scratch

SHAPES = archive(
    {
        "shapes/__init__.py": "from .areas import area\n",
        "shapes/areas.py": "from pathlib import Path\n\ndef area(r):\n    return 3 * r * r\n\n"
        "def note():\n    return (Path(__file__).parent / 'note.txt').read_text()\n",
        "shapes/note.txt": "a data file",
        "shapes-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: shapes\nVersion: 1.2\n",
        "shapes-1.2.dist-info/entry_points.txt": "[shapes]\narea = shapes:area\n",
    }
)


def stored(data: bytes, name: str = "shapes 1.2") -> Archive:
    return Archive(hashlib.sha256(data).hexdigest(), name, data, "")


def bring(bench: Bench, *archives: Archive) -> list[list[str]]:
    return bring_modules(bench.sandbox, archives, on_tick=lambda: None)


def problem(bench: Bench, data: bytes) -> str:
    with pytest.raises(ModulesFailed) as failed:
        bring(bench, stored(data))
    assert bench.run(lambda: 1).value() == 1
    return str(failed.value)


def area_and_note() -> Callable[[], Any]:
    """A function that travels by value: this module is not in the sandbox."""

    def look() -> Any:
        import shapes

        return shapes.area(2), shapes.areas.note()

    return look


def test_modules_are_imported_with_their_data(bench: Bench) -> None:
    assert bench.run(area_and_note(), modules=bring(bench, stored(SHAPES))).value() == (12, "a data file")


def test_metadata_and_entry_points_are_found(bench: Bench) -> None:
    def look() -> Any:
        from importlib.metadata import entry_points, version

        return version("shapes"), [point.load()(1) for point in entry_points(group="shapes")]

    assert bench.run(look, modules=bring(bench, stored(SHAPES))).value() == ("1.2", [3])


def test_programs_started_by_a_job_find_them_too(bench: Bench) -> None:
    def start() -> str:
        import subprocess

        return subprocess.check_output([sys.executable, "-c", "import shapes; print(shapes.area(1))"], text=True)

    assert bench.run(start, modules=bring(bench, stored(SHAPES))).value() == "3\n"


def test_a_version_sent_along_goes_before_the_environment_s(bench: Bench) -> None:
    mine = archive({"numpy/__init__.py": "__version__ = 'mine'\n"})

    def version() -> Any:
        import numpy as np

        return np.__version__

    assert bench.run(version, modules=bring(bench, stored(mine))).value() == "mine"
    assert bench.run(version).value() != "mine"


def test_another_run_does_not_see_them(bench: Bench) -> None:
    bring(bench, stored(SHAPES))
    seen = bench.run(area_and_note(), environment="base")
    assert "ModuleNotFoundError: No module named 'shapes'" in seen.error()
    assert seen.error().endswith(
        "Module 'shapes' could not be imported in environment base. Sent along: nothing. "
        "cloud.explain(function) shows what is sent and why.\n"
    )


def test_a_failing_import_names_what_was_sent(bench: Bench) -> None:
    broken = archive({"broken.py": "import nowhere\n"})
    path = bring(bench, stored(broken, "broken 2"), stored(SHAPES))
    seen = bench.run(lambda: __import__("broken"), modules=path, environment="base")
    assert "'nowhere' could not be imported in environment base. Sent along: broken 2, shapes 1.2." in seen.error()


def test_jobs_cannot_change_modules(container: Bench) -> None:
    def spoil() -> list[str]:
        import shapes

        said = []
        folder = os.path.dirname(shapes.__file__)
        for change in (
            lambda: os.truncate(shapes.__file__, 0),
            lambda: os.remove(shapes.__file__),
            lambda: os.mkdir(f"{folder}/more"),
            lambda: os.rename(folder, "/opt/picloud-inbox/shapes"),
            lambda: os.link(shapes.__file__, "/tmp/link"),
            lambda: os.chmod(shapes.__file__, 0o777),
        ):
            try:
                change()
            except OSError as error:
                said.append(os.strerror(error.errno or 0))
        return said

    path = bring(container, stored(SHAPES))
    assert container.run(spoil, modules=path).value() == [
        *["Read-only file system"] * 3, "Invalid cross-device link", "Invalid cross-device link",
        "Read-only file system",
    ]  # fmt: skip


def test_what_a_job_leaves_in_the_inbox_is_gone_before_the_next(bench: Bench) -> None:
    inbox = "/opt/picloud-inbox" if os.path.basename(bench.sandbox.modules_inside) == "picloud-modules" else ""
    inbox = inbox or bench.sandbox.modules_inside.replace("/modules", "/inbox")
    data = archive({"late.py": "X = 1\n"})
    digest = stored(data).digest

    def prepare() -> None:
        os.makedirs(f"{inbox}/{digest}/late")
        os.symlink("/etc", f"{inbox}/other")

    bench.run(prepare)
    path = bring(bench, stored(data))
    assert bench.run(lambda: (__import__("late").X, os.listdir(inbox)), modules=path).value() == (1, [])


def test_they_are_gone_with_the_sandbox(base_image: str) -> None:
    for kind in ("process", "container"):
        with make_sandbox(kind, base_image) as sandbox:
            bring(Bench(sandbox), stored(SHAPES))
            root = Path(sandbox._scratch.root)
            assert [path.name for path in (root / "modules").iterdir()] == [stored(SHAPES).digest]
        assert not (root / "modules" / stored(SHAPES).digest).exists() or kind == "container"


BAD = {
    "../evil.py": "holds '../evil.py', which is no path inside of it",
    "/etc/evil.py": "holds '/etc/evil.py', which is no path inside of it",
    "a/../../evil.py": "holds 'a/../../evil.py', which is no path inside of it",
    "a//b.py": "holds 'a//b.py', which is no path inside of it",
    "a\\..\\b.py": "holds 'a\\\\..\\\\b.py', which is no path inside of it",
    "x" * 300: "holds a name of over 255 bytes",
}


@pytest.mark.parametrize("name", BAD)
def test_names_that_lead_out_are_refused(bench: Bench, name: str) -> None:
    assert problem(bench, archive({name: "X = 1"})) == f"The archive shapes 1.2 {BAD[name]}."


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(bench: Bench, kind: int) -> None:
    data = archive({"evil": "/etc/passwd"}, mode=kind | 0o666)
    assert problem(bench, data) == "The archive shapes 1.2 holds 'evil', which is a link or a device."


def test_a_file_below_a_link_is_refused(bench: Bench) -> None:
    assert "is a link" in problem(bench, link("dir", "/tmp"))


@pytest.mark.parametrize("cut", [0, 10, len(SHAPES) // 2, len(SHAPES) - 5])
def test_a_truncated_archive_is_refused(bench: Bench, cut: int) -> None:
    assert problem(bench, SHAPES[:cut]).startswith("The archive shapes 1.2 is no whole zip archive: ")


def test_damaged_bytes_are_refused(bench: Bench) -> None:
    damaged = bytearray(archive({"big.py": os.urandom(50_000)}))
    damaged[20_000] ^= 255
    assert "is no whole zip archive" in problem(bench, bytes(damaged))


def test_a_name_twice_is_refused(bench: Bench) -> None:
    buffer = io.BytesIO(archive({"a.py": "1"}))
    with zipfile.ZipFile(buffer, "a") as target, pytest.warns(UserWarning, match="Duplicate name"):
        target.writestr("a.py", "2")
    assert problem(bench, buffer.getvalue()) == "The archive shapes 1.2 holds 'a.py' twice."


def test_bombs_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "MOST_ARCHIVE_BYTES", 1_000_000)
    monkeypatch.setattr(modules, "MOST_ARCHIVE_FILES", 10)
    assert "takes 50,000,000 bytes unpacked; 1,000,000 are allowed" in problem(bench, archive({"a": bytes(50_000_000)}))
    assert "has 11 files; 10 are allowed" in problem(bench, archive({f"a{n}": "" for n in range(11)}))


def test_a_size_that_lies_does_no_harm(bench: Bench) -> None:
    data = archive({"a": bytes(1_000_000)})
    lying = data.replace((1_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert "is no whole zip archive" in problem(bench, lying)


def test_old_modules_make_room_for_new_ones(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (stored(archive({f"{name}.py": os.urandom(300_000)})) for name in ("old", "new"))
    monkeypatch.setattr(shelf, "MOST_BYTES", 900_000)
    for digest in list(bench.sandbox.shelf._sizes):
        bench.sandbox.shelf._sizes[digest] = 0
    bring(bench, old)
    monkeypatch.setattr(shelf, "MOST_BYTES", 400_000)
    path = bring(bench, new)
    assert (old.digest in bench.sandbox.shelf, new.digest in bench.sandbox.shelf) == (False, True)
    assert bench.run(lambda: os.path.exists(path[0][0])).value()
    with pytest.raises(ModulesFailed, match="is too much"):
        bring(bench, new, old)


@pytest.mark.parametrize("what", ["link", "file", "nothing"])
def test_a_runner_that_cheats_loses_its_sandbox(tmp_path: Path, settings: Any, what: str) -> None:
    settings.PICLOUD_HOME = tmp_path
    scratch = Scratch("cheat")
    scratch.create()
    (tmp_path / "secret").mkdir()
    if what == "link":
        (scratch.inbox / "digest").symlink_to(tmp_path / "secret")
    elif what == "file":
        (scratch.inbox / "digest").write_text("x")
    with pytest.raises(SandboxLost, match=r"no directory|could not be moved"):
        shelf.Shelf(scratch).take("digest")
    scratch.remove()
    assert (tmp_path / "secret").is_dir()


def test_they_do_not_count_as_the_job_s_disk(bench: Bench) -> None:
    before = bench.sandbox.usage().disk
    bring(bench, stored(archive({"big": os.urandom(5_000_000)})))
    bench.sandbox._scratch._next_walk = 0
    assert bench.sandbox.usage().disk < before + 1_000_000
