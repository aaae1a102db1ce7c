"""The simulation of the autoscaler: traces are read as they are meant, and the simulated world adds up."""

from pathlib import Path

import pytest

from benchmarks.autoscaler.made import office
from benchmarks.autoscaler.policies import Fixed, Ours, QueueLength, clairvoyant
from benchmarks.autoscaler.traces import BadTrace, Submit, read
from benchmarks.autoscaler.world import Provider, World

SWF = """; Version: 2
; MaxNodes: 8
1 100 -1 50 4 -1 -1 -1 -1 -1 1 7 -1 3 0 -1 -1 -1

2  90 -1 10 1 -1 -1 -1 -1 -1 1 7 -1 3 0 -1 -1 -1
3 110 -1 -1 1 -1 -1 -1 -1 -1 0 7 -1 3 0 -1 -1 -1
"""
CSV = "app,func,end_timestamp,duration\na,f,10.5,0.5\nb,g,3,3\n"
HOUR = 3600.0


def trace(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_standard_workload_format(tmp_path: Path) -> None:
    # In the order of their time, from the first one on; what never ran is left out.
    assert read(trace(tmp_path, "t.swf", SWF)) == [Submit(0, 10, 1, "3", "7"), Submit(10, 50, 4, "3", "7")]


def test_csv_of_invocations(tmp_path: Path) -> None:
    assert read(trace(tmp_path, "t.csv", CSV)) == [Submit(0, 3, 1, "g", "b"), Submit(10, 0.5, 1, "f", "a")]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.swf", "1 2 3\n", "t.swf:1 has 3 fields; the format has 18"),
        ("t.swf", SWF.replace("100", "soon", 1), "t.swf:3: could not convert"),
        ("t.swf", "; nothing\n", "no job that ran"),
        ("t.csv", "app,func\na,f\n", "t.csv:2 is no app, func"),
        ("t.csv", CSV.replace("10.5", "x"), "t.csv:2"),
        ("t.txt", "", "neither .swf nor .csv"),
    ],
)
def test_what_is_no_trace_is_told_by_its_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(BadTrace, match=says):
        read(trace(tmp_path, name, text))


def hundred(seconds: float) -> list[Submit]:
    return [Submit(0.0, seconds, 100, "f", "a")]


def known(seconds: float) -> Ours:
    """The product's rule after a run of the function."""
    from realtime.capacity.stats import Stats

    policy = Ours(Provider(slots=1), max_machines=500)
    policy._known["a", "f"] = Stats(1, seconds * 1000, 0.0)
    return policy


def test_a_hundred_jobs_of_an_hour_get_a_hundred_cores() -> None:
    result = World(hundred(HOUR), known(HOUR), Provider(slots=1, boot_seconds=0)).run()
    assert result.most_cores == 100
    assert (result.cost, result.idle_share) == (pytest.approx(5.0), pytest.approx(0.0))


def test_a_hundred_jobs_of_half_an_hour_get_fifty() -> None:
    result = World(hundred(HOUR / 2), known(HOUR / 2), Provider(slots=1, boot_seconds=0)).run()
    assert result.most_cores == 50
    assert result.cost == pytest.approx(2.5)
    assert max(result.waits) == pytest.approx(HOUR / 2)


@pytest.mark.parametrize(
    "policy", [Ours(Provider(), max_machines=50), QueueLength(max_machines=50), Fixed(8, Provider())]
)
def test_every_job_runs_once_for_its_time(policy: Ours | QueueLength | Fixed) -> None:
    submits = office()[:400]
    result = World(submits, policy, Provider()).run()
    assert len(result.waits) == sum(submit.count for submit in submits)
    assert result.busy_core_seconds == pytest.approx(sum(submit.seconds * submit.count for submit in submits))
    assert result.paid_core_seconds >= result.busy_core_seconds
    assert min(result.waits) >= 0


def test_the_bound_pays_whole_increments_of_what_is_busy() -> None:
    # Two at once, and later one in the time that is paid already.
    bound = clairvoyant([Submit(0, 600, 2, "f", "a"), Submit(1200, 600, 1, "f", "a")], Provider())
    assert (bound.cost, bound.most_cores) == (pytest.approx(0.10), 2)
    bound = clairvoyant([Submit(0, 600, 1, "f", "a"), Submit(7200, 600, 1, "f", "a")], Provider())
    assert (bound.cost, bound.most_cores) == (pytest.approx(0.10), 1)
    assert clairvoyant([Submit(0, HOUR + 1, 1, "f", "a")], Provider()).cost == pytest.approx(0.10)
