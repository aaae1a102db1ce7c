"""Reserved keywords: what they become, and what is refused by name."""

from typing import Any

import pytest

import cloud
from tests.cloud.service import Service


def options_of(service: Service, **keywords: Any) -> dict[str, Any]:
    service.runs_jobs = False
    cloud.call(abs, 1, **keywords)
    options: dict[str, Any] = service.headers_of("/api/v1/jobs")[-1]["options"]
    return options


def test_defaults(alice_calls: Service) -> None:
    assert options_of(alice_calls) == {
        "type": "c1",
        "cores": 1,
        "label": "",
        "priority": 5,
        "max_runtime": None,
        "max_cost": None,
        "restartable": True,
        "kill_process": False,
        "depends_on": [],
        "depends_on_errors": "abort",
        "env_vars": {},
    }


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("_type", cloud.f2, {"type": "f2"}),
        ("_high_cpu", True, {"type": "c2"}),
        ("_high_cpu", False, {"type": "c1"}),
        ("_cores", 4, {"cores": 4}),
        ("_label", "night", {"label": "night"}),
        ("_priority", 2, {"priority": 2}),
        ("_max_runtime", 0.5, {"max_runtime": 0.5}),
        ("_max_cost", 0.25, {"max_cost": 0.25}),
        ("_restartable", False, {"restartable": False}),
        ("_kill_process", 1, {"kill_process": True}),
        ("_depends_on", 4, {"depends_on": [[4, 4]]}),
        ("_depends_on", range(1, 4), {"depends_on": [[1, 3]]}),
        ("_depends_on", [5, 3, 4], {"depends_on": [[3, 5]]}),
        ("_depends_on_errors", "ignore", {"depends_on_errors": "ignore"}),
        ("_os_env_vars", {"A": "b"}, {"env_vars": {"A": "b"}}),
        ("_os_env_vars", ["HERE"], {"env_vars": {"HERE": "yes"}}),
        ("_label", None, {"label": ""}),
    ],
)
def test_keywords_become_options(
    alice_calls: Service, monkeypatch: pytest.MonkeyPatch, keyword: str, value: Any, expected: dict[str, Any]
) -> None:
    monkeypatch.setenv("HERE", "yes")
    assert options_of(alice_calls, **{keyword: value}).items() >= expected.items()


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("_type", 3, TypeError),
        ("_high_cpu", 1, TypeError),
        ("_cores", 0, TypeError),
        ("_cores", True, TypeError),
        ("_label", "café", TypeError),
        ("_priority", "high", TypeError),
        ("_max_runtime", "5", TypeError),
        ("_max_runtime", 0, ValueError),
        ("_max_runtime", float("nan"), ValueError),
        ("_max_cost", "$2", TypeError),
        ("_max_cost", True, TypeError),
        ("_max_cost", 0, ValueError),
        ("_max_cost", float("inf"), ValueError),
        ("_restartable", 1, TypeError),
        ("_depends_on", "7", TypeError),
        ("_depends_on", [1.5], TypeError),
        ("_depends_on", 0, ValueError),
        ("_depends_on_errors", "retry", ValueError),
        ("_os_env_vars", "PATH", TypeError),
        ("_os_env_vars", ["NOT_SET_ANYWHERE"], ValueError),
        ("_os_env_vars", {"A": 1}, TypeError),
    ],
)
def test_wrong_values_are_refused_by_name(keyword: str, value: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=keyword):
        cloud.call(abs, 1, **{keyword: value})


def test_unknown_keywords_are_refused_with_the_known_ones() -> None:
    def wants(_env: str) -> str:
        return _env

    with pytest.raises(TypeError, match=r"'_env'.*_type _high_cpu _cores"):
        cloud.call(wants, _env="base")


def test_high_cpu_with_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="_type is 'm1'"):
        cloud.call(abs, 1, _high_cpu=True, _type="m1")
