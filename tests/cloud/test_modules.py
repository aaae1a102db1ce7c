"""Modules travel with the functions that need them, once, and are told about before."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import cloud
from cloud._dependencies import packing, shipping
from cloud.cli.main import run
from tests.cloud.installing import forget, install, write
from tests.cloud.service import Service

TOPS = ("shop", "tool", "paint", "colours", "acme", "zipped", "lonely", "fast", "linked", "clock_of_mine")


@pytest.fixture(autouse=True)
def _no_modules_of_before() -> Iterator[None]:
    shipping._environments.clear()
    shipping._plans.clear()
    yield
    forget(*TOPS)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that pip installs into."""
    folder = tmp_path / "lib" / "site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that the caller writes modules in."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def sent(service: Service) -> dict[str, set[str]]:
    """Names of the files in each archive of the last submit, by the archive's name."""
    modules = service.headers_of("/api/v1/jobs")[-1].get("modules", [])
    opened = {one["name"]: zipfile.ZipFile(io.BytesIO(service.archives[one["digest"]])) for one in modules}
    return {name: set(archive.namelist()) for name, archive in opened.items() if name != "tests"}


def uploads(service: Service) -> int:
    return sum(method == "PUT" and path.startswith("/api/v1/modules/") for method, path, _ in service.requests)


def look_again() -> None:
    """As if the time had gone by for which files are taken to be as they were."""
    shipping._plans.clear()


SHOP: dict[str, str | bytes] = {
    "shop/__init__.py": "from .prices import total\n",
    "shop/prices.py": "import lonely\ndef total():\n    return lonely.ONE + len(__doc__ or '')\n",
    "shop/data/rates.csv": "1,2\n",
    "shop/__pycache__/x.pyc": b"x",
    "shop/.git/config": "x",
    "lonely.py": "ONE = 1\n",
    "unrelated.py": "",
}


def test_a_package_travels_whole_with_its_data_and_what_it_imports(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    assert cloud.result(cloud.call(shop.total)) == 1
    assert sent(alice_calls) == {
        "shop": {"shop/__init__.py", "shop/prices.py", "shop/data/rates.csv"},
        "lonely": {"lonely.py"},
    }


def test_the_second_submit_sends_nothing(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.call(shop.total)
    assert uploads(alice_calls) == 2
    asked = len(alice_calls.requests)
    cloud.call(shop.total)
    look_again()
    cloud.call(shop.total)
    assert (uploads(alice_calls), len(alice_calls.requests)) == (2, asked + 2)


def test_a_changed_module_is_sent_again(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.call(shop.total)
    write(code, {"lonely.py": "ONE = 111\n"})
    look_again()
    assert cloud.result(cloud.call(shop.total)) == 111
    assert uploads(alice_calls) == 3


def test_modules_that_the_service_has_forgotten_are_sent_again(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.call(shop.total)
    alice_calls.archives.clear()
    assert cloud.result(cloud.call(shop.total)) == 1
    assert uploads(alice_calls) == 4


def test_a_function_that_needs_nothing_asks_nothing(alice_calls: Service) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("import json, math\ndef area(r):\n    return json.dumps(math.floor(r))\n", namespace)
    cloud.call(namespace["area"], 1.5)
    assert [path for _, path, _ in alice_calls.requests] == ["/api/v1/jobs"]
    assert "modules" not in alice_calls.headers_of("/api/v1/jobs")[0]


def test_a_distribution_travels_whole_with_what_it_requires(alice_calls: Service, site: Path) -> None:
    install(site, "paint-tool", "1.2", {"paint/__init__.py": "import colours\n", "paint/__main__.py": ""},
            requires=("colours>=1", "absent", "never; python_version < '3'", "extra-one; extra == 'more'"),
            entry_points="[paint]\nbrush = paint:brush\n")  # fmt: skip
    install(site, "colours", "3.0", {"colours.py": "RED = 1\n", "colours/never.txt": ""})
    install(site, "extra-one", "1", {"extra_one.py": ""})
    install(site, "never", "1", {"never.py": ""})

    def look() -> Any:
        from importlib.metadata import entry_points, version

        import paint

        return paint.colours.RED, version("paint-tool"), [point.name for point in entry_points(group="paint")]

    assert cloud.result(cloud.call(look)) == (1, "1.2", ["brush"])
    found = sent(alice_calls)
    assert set(found) == {"paint-tool 1.2", "colours 3.0"}
    info = "paint_tool-1.2.dist-info"
    assert found["paint-tool 1.2"] >= {"paint/__init__.py", "paint/__main__.py", f"{info}/METADATA", f"{info}/RECORD"}
    assert not any(name.startswith("..") for name in found["paint-tool 1.2"])


def test_extras_that_are_required_come_too(alice_calls: Service, site: Path) -> None:
    install(site, "tool", "1", {"tool.py": ""}, requires=("paint[bright]",))
    install(site, "paint", "1", {"paint.py": ""}, requires=("colours; extra == 'bright'",))
    install(site, "colours", "1", {"colours.py": ""})
    cloud.call(lambda: __import__("tool"))

    def look() -> None:
        import tool  # noqa: F401

    cloud.call(look)
    assert set(sent(alice_calls)) == {"tool 1", "paint 1", "colours 1"}


def test_what_the_environment_has_stays_here_and_another_version_is_said(
    alice_calls: Service, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "colours", "3.0", {"colours.py": "RED = 1\n"})
    install(site, "paint", "2.0", {"paint.py": "BLUE = 2\n"})
    alice_calls.packages |= {"colours": "3.0", "paint": "1.0"}

    def look() -> None:
        import colours  # noqa: F401
        import paint  # noqa: F401

    cloud.call(look)
    assert set(sent(alice_calls)) == {"paint 2.0"}
    said = capsys.readouterr().err
    assert said == "PiCloud: paint 2.0 travels with the function, because environment base has 1.0.\n"


def test_an_editable_install_travels_as_its_source_with_metadata(
    alice_calls: Service, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    write(project, {"src/linked/__init__.py": "WHO = 'linked'\n", "src/linked/words.txt": "hi", "README": "x"})
    link = {"__editable__.linked-0.3.pth": str(project / "src")}
    install(site, "linked", "0.3", dict(link), editable=project, requires=("colours",))
    install(site, "colours", "3.0", {"colours.py": ""})
    monkeypatch.syspath_prepend(project / "src")  # what the .pth file would do at the start of Python

    def look() -> Any:
        from importlib.metadata import version

        import linked

        return linked.WHO, version("linked")

    assert cloud.result(cloud.call(look)) == ("linked", "0.3")
    assert sent(alice_calls)["linked 0.3"] >= {"linked/__init__.py", "linked/words.txt"}
    assert "linked-0.3.dist-info/direct_url.json" not in sent(alice_calls)["linked 0.3"]
    assert "colours 3.0" in sent(alice_calls)


def test_a_namespace_travels_by_its_portions(alice_calls: Service, site: Path, code: Path) -> None:
    write(code, {"acme/mine/rates.py": "VALUE = 7\n"})
    install(site, "acme-one", "1", {"acme/one/__init__.py": "ONE = 1\n"})
    install(site, "acme-two", "1", {"acme/two/__init__.py": ""})

    def look() -> Any:
        import acme.mine.rates
        import acme.one

        return acme.mine.rates.VALUE, acme.one.ONE

    assert cloud.result(cloud.call(look)) == (7, 1)
    assert set(sent(alice_calls)) == {"acme", "acme-one 1"}


def test_a_zip_on_the_path_travels(alice_calls: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "zipped-1.egg", "w") as target:
        target.writestr("zipped/__init__.py", "import lonely\nfrom .inner import X\n")
        target.writestr("zipped/inner.py", "X = 5\n")
    write(tmp_path, {"lonely.py": ""})
    monkeypatch.syspath_prepend(tmp_path / "zipped-1.egg")
    monkeypatch.syspath_prepend(tmp_path)

    def look() -> Any:
        import zipped

        return zipped.X

    assert cloud.result(cloud.call(look)) == 5
    assert set(sent(alice_calls)) == {"zipped-1.egg", "lonely"}


def uses_fast() -> Any:
    def look() -> None:
        import fast  # noqa: F401

    return look


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("cp311-cp311-win_amd64", "it is compiled for win_amd64, and the environment is linux_x86_64"),
        ("cp311-cp311-manylinux_2_17_aarch64", "compiled for manylinux_2_17_aarch64, and the environment is linux_x"),
        ("cp311-cp311-manylinux_2_39_x86_64", "it needs glibc 2.39, and the environment has 2.36"),
        ("cp311-abi3-musllinux_1_2_x86_64", "compiled for musllinux_1_2_x86_64"),
    ],
)
def test_what_is_compiled_for_another_platform_is_refused(
    alice_calls: Service, site: Path, tag: str, reason: str
) -> None:
    alice_calls.platform["machine"] = "x86_64"
    install(site, "paint", "1", {"paint.py": ""}, requires=("fast",))
    install(site, "fast", "2", {"fast/__init__.py": ""}, tag=tag)

    def look() -> None:
        import paint  # noqa: F401

    with pytest.raises(cloud.CloudException) as refused:
        cloud.call(look)
    text = str(refused.value)
    assert reason in text
    assert "fast 2 (imported by paint) cannot travel: " in text
    assert "Use an environment that has it, or leave it out with cloud.set_dependency_whitelist." in text
    assert alice_calls.headers_of("/api/v1/jobs") == []


@pytest.mark.parametrize("tag", ["cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64.linux_x86_64"])
def test_what_is_compiled_for_the_environment_travels(alice_calls: Service, site: Path, tag: str) -> None:
    alice_calls.platform["machine"] = "x86_64"
    install(site, "fast", "2", {"fast/__init__.py": ""}, tag=tag)
    cloud.call(uses_fast())
    assert set(sent(alice_calls)) == {"fast 2"}


def test_a_module_compiled_here_travels_when_its_c_library_is_old_enough(alice_calls: Service, code: Path) -> None:
    suffix = f"cpython-{sys.version_info[0]}{sys.version_info[1]}-x86_64-linux-gnu.so"
    alice_calls.platform["machine"] = os.uname().machine
    write(code, {"fast/__init__.py": "", f"fast/inner.{suffix}": b"\x7fELF GLIBC_2.5\0GLIBC_2.34\0"})
    cloud.call(uses_fast())
    assert f"fast/inner.{suffix}" in sent(alice_calls)["fast"]
    write(code, {f"fast/inner.{suffix}": b"\x7fELF GLIBC_2.38\0 longer"})
    look_again()
    with pytest.raises(cloud.CloudException, match=r"fast cannot travel: it needs glibc 2.38, and the environment has"):
        cloud.call(uses_fast())


def test_explain_tells_what_and_why_before_anything_is_sent(
    alice_calls: Service, site: Path, code: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(code, {**SHOP, "shop/prices.py": "import paint, importlib\nimportlib.import_module(input())\n"})
    write(code, {"shop/__init__.py": "from typing import TYPE_CHECKING\nfrom . import prices\n"
                 "if TYPE_CHECKING:\n    import lonely\ndef total(): ...\n"})  # fmt: skip
    install(site, "paint", "2.0", {"paint.py": "import builtins\n"}, requires=("colours", "fast"))
    install(site, "colours", "3.0", {"colours.py": ""})
    install(site, "fast", "1", {"fast.py": ""}, tag="cp39-cp39-win32")
    alice_calls.packages |= {"colours": "3.0", "paint": "1.0"}
    sys.modules["builtins"].input, before = lambda: "json", input  # type: ignore[attr-defined]
    import shop

    sys.modules["builtins"].input = before  # type: ignore[attr-defined]
    report = cloud.explain(shop.total)
    rows = {row["name"]: row for row in report["sent"]}
    assert set(rows) == {"shop", "paint"}
    assert rows["paint"]["why"] == ["shop", "shop.prices", "paint"]
    assert (rows["paint"]["environment_has"], rows["paint"]["from"]) == ("1.0", str(site))
    assert (rows["shop"]["kind"], rows["shop"]["files"], rows["shop"]["stored"]) == ("package", 3, None)
    assert report["present"] == [
        {"name": "colours", "version": "3.0", "why": ["shop", "shop.prices", "paint", "colours"]}
    ]
    assert report["refused"][0]["reason"].startswith("it is compiled for ")
    assert report["unfollowed"] == [
        {"file": str(code / "shop/prices.py"), "line": 2, "code": "importlib.import_module(input())"}
    ]
    assert not alice_calls.archives
    text = capsys.readouterr().out
    assert "to send     paint 2.0 (distribution, " in text
    assert "base has 1.0)  ← shop.prices ← shop\n" in text
    assert f"not followed  {code}/shop/prices.py:2  importlib.import_module(input())" in text


def test_explain_knows_what_is_stored(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.call(shop.total)
    assert [row["stored"] for row in cloud.explain(shop.total)["sent"]] == [True, True]
    alice_calls.archives.clear()
    assert [row["stored"] for row in cloud.explain(shop.total)["sent"]] == [False, False]
    with pytest.raises(TypeError, match=r"cloud\.explain takes a function"):
        cloud.explain(3)  # type: ignore[arg-type]


@pytest.mark.usefixtures("alice_calls")
def test_the_command_explains_too(
    code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(code, SHOP)
    monkeypatch.chdir(code)
    assert run(["explain", "shop.prices:total"]) == 0
    told = capsys.readouterr().out
    assert "to send     shop (package, " in told
    assert "lonely (module, 8 bytes in 1 file)" in told
    assert run(["-o", "json", "explain", "shop:total"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == "base"
    for wrong, said in {
        "shop": "write MODULE:FUNCTION",
        "nowhere:x": "cannot be imported here",
        "shop:nothing": "has no function nothing",
        "lonely:ONE": "is no function but a int",
    }.items():
        assert run(["explain", wrong]) == 1
        assert said in capsys.readouterr().err


def test_a_whitelist_leaves_out_what_it_does_not_name(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.set_dependency_whitelist(["shop.prices"])
    cloud.call(shop.total)
    assert set(sent(alice_calls)) == {"shop"}
    assert cloud.explain(shop.total)["left_out"] == [{"name": "lonely", "why": ["shop.prices", "lonely"]}]
    cloud.set_dependency_whitelist(None)
    cloud.call(shop.total)
    assert set(sent(alice_calls)) == {"shop", "lonely"}
    for wrong in ("shop", [1], 5):
        with pytest.raises(TypeError, match="whitelist"):
            cloud.set_dependency_whitelist(wrong)  # type: ignore[arg-type]


def test_another_key_has_no_whitelist(alice_calls: Service, code: Path) -> None:
    write(code, SHOP)
    import shop

    cloud.set_dependency_whitelist(["shop.prices"])
    cloud.setkey(7, "secret", alice_calls.url)
    cloud.call(shop.total)
    assert set(sent(alice_calls)) == {"shop", "lonely"}


def test_the_transfer_can_be_turned_off(
    alice_calls: Service, code: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(code, SHOP)
    import shop

    monkeypatch.setenv("PICLOUD_AUTOMATIC_DEPENDENCY_TRANSFER", "false")
    with pytest.raises(cloud.CloudException, match="No module named 'shop'"):
        cloud.result(cloud.call(shop.total))
    assert alice_calls.headers_of("/api/v1/jobs")[-1]["modules"] == []
    monkeypatch.setenv("PICLOUD_AUTOMATIC_DEPENDENCY_TRANSFER", "perhaps")
    with pytest.raises(cloud.CloudException, match="is true or false, not 'perhaps'"):
        cloud.call(shop.total)
    monkeypatch.delenv("PICLOUD_AUTOMATIC_DEPENDENCY_TRANSFER")
    write(tmp_path / "home" / ".picloud", {"config.ini": "[account]\nautomatic_dependency_transfer = off\n"})
    (tmp_path / "home" / ".picloud" / "config.ini").chmod(0o600)
    cloud.config.commit()
    assert not cloud.config.transfers_dependencies()
    cloud.config.automatic_dependency_transfer = True
    assert cloud.config.transfers_dependencies()


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_UNPACKED_BYTES"])
def test_what_is_too_large_is_refused_by_name(
    alice_calls: Service, code: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    write(code, {"lonely.py": f"ONE = 1  # {os.urandom(3000).hex()}\n"})
    monkeypatch.setattr(packing, limit, 1000)

    def look() -> None:
        import lonely  # noqa: F401

    with pytest.raises(cloud.CloudException, match=r"lonely from .* takes [\d,]+ bytes .*; 1,000 is the limit"):
        cloud.call(look)
    assert uploads(alice_calls) == 0


def test_a_module_registered_by_value_stays_here(alice_calls: Service, code: Path) -> None:
    write(code, {"shop.py": "FACTOR = 2\ndef twice(x):\n    return FACTOR * x\n"})
    import shop

    cloudpickle.register_pickle_by_value(shop)
    assert cloud.result(cloud.call(shop.twice, 4)) == 8
    cloudpickle.unregister_pickle_by_value(shop)
    assert sent(alice_calls) == {}


def test_inside_a_job_what_came_with_it_goes_on(
    alice_calls: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = "a" * 64, "b" * 64
    write(tmp_path / first, {"shop/__init__.py": "def total():\n    return 1\n"})
    monkeypatch.syspath_prepend(tmp_path / first)
    came = [[str(tmp_path / first), "shop"], [str(tmp_path / second), "paint 1"]]
    monkeypatch.setenv("PICLOUD_MODULES", json.dumps(came))
    alice_calls.archives |= {first: b"", second: b""}
    alice_calls.runs_jobs = False
    import shop

    cloud.call(shop.total)
    assert alice_calls.headers_of("/api/v1/jobs")[-1]["modules"] == [
        {"digest": first, "name": "shop"},
        {"digest": second, "name": "paint 1"},
    ]
    assert uploads(alice_calls) == 0
    assert cloud.explain(shop.total)["carried"] == ["shop", "paint 1"]


def test_an_unreadable_cache_is_only_made_again(alice_calls: Service, code: Path, tmp_path: Path) -> None:
    write(tmp_path / "home" / ".cache" / "picloud", {"modules.json": "{broken"})
    write(code, SHOP)
    import shop

    cloud.call(shop.total)
    kept = json.loads((tmp_path / "home" / ".cache" / "picloud" / "modules.json").read_text())
    assert any(key.startswith("archive package ") for key in kept["entries"])
    assert uploads(alice_calls) == 2
