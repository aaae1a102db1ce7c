"""What a run reports of each job, however the job ends."""

import threading

import pytest

from tests.worker.conftest import Bench


def test_values_come_back_for_each_item(bench: Bench) -> None:
    def double(x: int) -> int:
        return 2 * x

    seen = bench.run(double, *((n,) for n in range(1000)))
    assert [seen.value(n) for n in range(1000)] == [2 * n for n in range(1000)]


def test_job_finds_its_number_token_and_address(bench: Bench) -> None:
    def look() -> tuple[str, ...]:
        import os

        names = ("PICLOUD_JID", "PICLOUD_JOB_TOKEN", "PICLOUD_RUNNING_ON_CLOUD", "GREETING")
        return (*(os.environ[name] for name in names), os.environ["PICLOUD_URL"].partition(":")[0])

    seen = bench.run(look, (), (), env={"GREETING": "hello"})
    assert seen.value(1) == ("101", "the-token", "1", "hello", "http+unix")


def test_client_library_can_be_imported_and_the_server_cannot(bench: Bench) -> None:
    def look() -> list[bool]:
        import importlib.util

        return [importlib.util.find_spec(name) is not None for name in ("cloud", "numpy", "worker", "jobs")]

    assert bench.run(look).value() == [True, True, False, False]


def test_items_of_a_chunk_share_an_interpreter(bench: Bench) -> None:
    def pid() -> int:
        import os

        return os.getpid()

    together = bench.run(pid, (), ())
    apart = bench.run(pid, (), (), fork_each=True)
    assert together.value(0) == together.value(1)
    assert apart.value(0) != apart.value(1)


def test_exception_comes_with_its_traceback_without_our_frames(bench: Bench) -> None:
    def fail() -> None:
        raise KeyError("missing")

    seen = bench.run(fail)
    assert seen.outcomes[0]["reason"] == "exception"
    assert repr(seen.outcomes[0]["value"]) == "KeyError('missing')"
    assert "in fail" in seen.error()
    assert "child.py" not in seen.error()


def test_exception_that_cannot_travel_is_stood_in_for(bench: Bench) -> None:
    def fail() -> None:
        class Odd(ValueError):
            def __str__(self) -> str:
                raise RuntimeError

        raise Odd(threading.Lock())

    seen = bench.run(fail)
    assert isinstance(seen.outcomes[0]["value"], ValueError)
    assert "Odd" in str(seen.outcomes[0]["value"])
    assert "str() failed" in seen.error()


def test_exception_that_needs_more_than_its_args_is_stood_in_for(bench: Bench) -> None:
    def fail() -> None:
        class Two(OSError):
            def __init__(self, first: str, second: str) -> None:
                super().__init__(first + second)

        raise Two("a", "b")

    assert isinstance(bench.run(fail).outcomes[0]["value"], OSError)


def test_long_traceback_is_cut_in_the_middle(bench: Bench) -> None:
    def fail() -> None:
        raise ValueError("x" * 1_000_000)

    error = bench.run(fail).error()
    assert len(error) < 66_000
    assert "characters left out" in error


def test_function_that_cannot_be_loaded_fails_every_item(bench: Bench) -> None:
    class Unloadable:
        def __reduce__(self) -> object:
            return (__import__, ("no_such_module",))

    seen = bench.run(Unloadable(), (), ())  # type: ignore[arg-type]
    assert ["no_such_module" in seen.error(n) for n in (0, 1)] == [True, True]


def test_result_that_cannot_be_pickled_is_named_by_its_path(bench: Bench) -> None:
    def make() -> object:
        import threading

        return {"rows": [1, {"guard": threading.Lock()}]}

    seen = bench.run(make)
    assert seen.outcomes[0]["reason"] == "bad_result"
    assert "result['rows'][1]['guard'] is a lock" in seen.error()


def test_result_over_the_limit_says_its_size(bench: Bench) -> None:
    def make() -> bytes:
        return b"x" * 2_000_000

    seen = bench.run(make)
    assert seen.outcomes[0]["reason"] == "bad_result"
    assert "2,000,0" in seen.error()
    assert "cloud.files" in seen.error()


def test_large_results_arrive_whole(bench: Bench) -> None:
    def make(n: int) -> bytes:
        return bytes([n]) * 900_000

    seen = bench.run(make, *((n,) for n in range(20)))
    assert all(seen.value(n) == bytes([n]) * 900_000 for n in range(20))


def test_job_that_ends_itself_takes_no_other_with_it(bench: Bench) -> None:
    def end(how: str) -> str:
        import os
        import sys

        if how == "sys":
            sys.exit(3)
        if how == "os":
            os._exit(4)
        return how

    seen = bench.run(end, ("a",), ("sys",), ("b",), ("os",), ("c",))
    assert [seen.value(n) for n in (0, 2, 4)] == ["a", "b", "c"]
    assert [seen.outcomes[n]["reason"] for n in (1, 3)] == ["exited", "exited"]
    assert "sys.exit(3)" in seen.error(1)
    assert seen.outcomes[3]["exit_code"] == 4


def test_segfault_takes_no_other_job_with_it(bench: Bench) -> None:
    def crash(n: int) -> int:
        import ctypes

        if n == 1:
            ctypes.string_at(0)
        return n

    seen = bench.run(crash, (0,), (1,), (2,))
    assert [seen.value(n) for n in (0, 2)] == [0, 2]
    assert seen.outcomes[1]["signal"] == "SIGSEGV"


def test_fork_that_comes_back_through_the_call_is_not_heard(bench: Bench) -> None:
    def fork(n: int) -> str:
        import os

        if os.fork() == 0:
            return "the child"
        os.wait()
        return f"parent {n}"

    seen = bench.run(fork, (0,), (1,))
    assert [seen.value(0), seen.value(1)] == ["parent 0", "parent 1"]


def test_job_that_closes_every_descriptor_still_answers(bench: Bench) -> None:
    def close() -> str:
        import os

        os.closerange(0, 256)
        return "here"

    assert bench.run(close, (), ()).value(1) == "here"


def test_job_that_writes_into_the_pipe_of_reports_only_hurts_itself(bench: Bench) -> None:
    def forge(n: int) -> int:
        import contextlib
        import os
        import time

        if n == 1:
            for descriptor in range(900, 910):
                with contextlib.suppress(OSError):
                    os.write(descriptor, b"nonsense" * 100)
            time.sleep(60)
        return n

    seen = bench.run(forge, (0,), (1,), (2,))
    assert [seen.value(n) for n in (0, 2)] == [0, 2]
    assert "pipe" in seen.error(1)


@pytest.mark.parametrize("claim", [-(2**40), 0, 1, 3, 2**40])
def test_job_that_lies_about_its_place_is_still_held_to_account(bench: Bench, claim: int) -> None:
    def cheat(n: int) -> int:
        import os
        import struct
        import sys

        if n == 2:
            frame = sys._getframe()
            while "self" not in frame.f_locals:
                assert frame.f_back
                frame = frame.f_back
            struct.pack_into("<qQ", frame.f_locals["self"].state, 0, claim, 0)
            os._exit(0)
        return n

    seen = bench.run(cheat, *((n,) for n in range(4)))
    assert sorted(seen.outcomes) == [0, 1, 2, 3]
    assert not seen.outcomes[2]["ok"]


def test_figures_are_those_of_the_job(bench: Bench) -> None:
    def work() -> None:
        import time

        end = time.process_time() + 0.15
        while time.process_time() < end:
            pass

    outcome = bench.run(work).outcomes[0]
    assert outcome["run_ms"] >= 150
    assert 140 <= outcome["user_ms"] + outcome["system_ms"] <= outcome["run_ms"] + 20
    assert outcome["max_rss"] > 5_000_000


def test_times_of_subprocesses_count(bench: Bench) -> None:
    def work() -> None:
        import subprocess
        import sys

        loop = "import time\nwhile time.process_time() < 0.2: pass"
        subprocess.run([sys.executable, "-c", loop], check=True)

    outcome = bench.run(work).outcomes[0]
    assert outcome["user_ms"] + outcome["system_ms"] > 180


def test_second_run_may_be_sent_while_the_first_is_under_way(bench: Bench) -> None:
    def wait(n: int) -> int:
        import time

        time.sleep(0.05)
        return n

    bench.start(wait, (1,))
    bench.start(wait, (2,))
    assert bench.finish().value() == 1
    assert bench.finish().value() == 2
