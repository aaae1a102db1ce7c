"""Functions from the caller's own uninstalled modules run where those modules do not exist."""

import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloud

pytestmark = pytest.mark.usefixtures("alice_calls")

SOURCES = {
    "shapes/__init__.py": "from .areas import area\nVERSION = 3\n",
    "shapes/areas.py": """
import functools
import dataclasses
import enum
import math
from . import units

@dataclasses.dataclass
class Circle:
    radius: float
    @functools.cached_property
    def area(self):
        return math.pi * self.radius ** 2

class Kind(enum.Enum):
    ROUND = 1

def area(radius):
    return round(units.to_metres(Circle(radius).area), 2)

@functools.lru_cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return ['called', function(*args)]
    return wrapper

@logged
def twice(x):
    return 2 * x

def kind():
    return Kind.ROUND

def late():
    from . import units
    import late_module
    return units.FACTOR, late_module.answer()

def is_circle(thing):
    return isinstance(thing, Circle)
""",
    "shapes/units.py": "from shapes import areas\nFACTOR = 0.01\ndef to_metres(x):\n    return x * FACTOR\n",
    "full.py": """
import sys
import threading
from shapes import units
import other
LOCK = threading.Lock()
STREAM = sys.stdin.buffer if hasattr(sys.stdin, 'buffer') else sys.__stdin__
GENERATOR = (x for x in [])

def locked():
    with LOCK:
        return 1

def free(x):
    return x * other.FACTOR * units.FACTOR

def generated():
    return GENERATOR.send
""",
    "other.py": "import full\nimport threading\nLOCK = threading.RLock()\nFACTOR = 100\n",
    "late_module.py": "import helper_of_late\ndef answer():\n    return helper_of_late.ANSWER\n",
    "helper_of_late.py": "ANSWER = 42\n",
}


@pytest.fixture(autouse=True)
def _modules_of_alice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in SOURCES.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "code")
    yield
    for name in list(sys.modules):
        if name.partition(".")[0] in ("shapes", "late_module", "helper_of_late", "full", "other"):
            del sys.modules[name]


def test_a_function_of_a_package_runs_with_its_class_and_other_modules() -> None:
    from shapes import area

    assert cloud.result(cloud.call(area, 10)) == 3.14


def test_a_whole_module_as_a_global_runs() -> None:
    import shapes.areas

    assert cloud.result(cloud.call(lambda: (shapes.areas.area(10), shapes.VERSION))) == (3.14, 3)


def test_cached_and_decorated_functions_run() -> None:
    from shapes import areas

    assert cloud.result([cloud.call(areas.fibonacci, 50), cloud.call(areas.twice, 4)]) == [12586269025, ["called", 8]]


def test_modules_imported_inside_a_function_travel_with_theirs() -> None:
    from shapes import areas

    assert cloud.result(cloud.call(areas.late)) == (0.01, 42)


def test_locks_and_streams_of_a_module_are_made_anew_in_the_job() -> None:
    import full

    assert cloud.result(cloud.call(lambda x: full.free(x) + 0, 3)) == 3.0
    assert cloud.result([cloud.call(full.locked), cloud.call(lambda: [full.LOCK.acquire()])]) == [1, [True]]


def test_what_a_function_without_a_name_needs_must_travel() -> None:
    lock = threading.Lock()

    def locked() -> None:
        lock.acquire()

    with pytest.raises(pickle.PicklingError, match=r"locked: variable 'lock': cannot pickle '_thread.lock'"):
        cloud.call(locked)


def test_an_enum_of_an_own_module_comes_back_as_itself() -> None:
    from shapes import areas

    assert cloud.result(cloud.call(areas.kind)) is areas.Kind.ROUND


def test_an_item_is_of_the_class_that_the_function_knows() -> None:
    from shapes import areas

    assert cloud.result(cloud.map(areas.is_circle, [areas.Circle(1), 3])) == [True, False]


def test_reading_back_the_function_leaves_the_modules_here_alone() -> None:
    from shapes import areas, units

    from cloud import _pickling

    before = dict(vars(units))
    pickle.loads(_pickling.dump_function(areas.area, set()))
    assert vars(units) == before


def test_nothing_is_left_in_the_registry_of_cloudpickle() -> None:
    import cloudpickle
    from shapes import area

    cloud.call(area, 1)
    assert cloudpickle.list_registry_pickle_by_value() == set()
