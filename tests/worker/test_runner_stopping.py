"""Stopping jobs, and what they leave behind."""

from pathlib import Path

import pytest

from tests.waiting import wait_until
from tests.worker.conftest import Bench, Seen, make_sandbox


def test_stopped_job_ends_and_the_rest_runs(bench: Bench) -> None:
    def wait(n: int) -> int:
        import time

        if n == 1:
            time.sleep(60)
        return n

    bench.start(wait, (0,), (1,), (2,))
    seen = bench.collect(Seen(), lambda seen: ("started", 1) in seen.order)
    bench.stop(1)
    bench.finish(seen)
    assert [seen.value(n) for n in (0, 2)] == [0, 2]
    assert (seen.outcomes[1]["signal"], seen.outcomes[1]["stopped"]) == ("SIGTERM", True)


def test_job_that_ignores_sigterm_is_killed_after_the_grace(bench: Bench) -> None:
    def wait() -> None:
        import signal
        import time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        time.sleep(60)

    bench.start(wait, ())
    seen = bench.collect(Seen(), lambda seen: bool(seen.output))
    bench.stop(0)
    assert bench.finish(seen).outcomes[0]["signal"] == "SIGKILL"


def test_job_that_handles_sigterm_may_say_its_last_word(bench: Bench) -> None:
    def wait() -> str:
        import signal
        import time

        told: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
        print("ready")
        while not told:
            time.sleep(0.01)
        return "cleaned up"

    bench.start(wait, ())
    seen = bench.collect(Seen(), lambda seen: bool(seen.output))
    bench.stop(0)
    assert bench.finish(seen).value() == "cleaned up"


def test_jobs_not_begun_are_left_out_in_silence(bench: Bench) -> None:
    def wait(n: int) -> int:
        import time

        time.sleep(0.1)
        return n

    bench.start(wait, *((n,) for n in range(5)))
    bench.stop(2, 3)
    assert sorted(bench.finish().outcomes) == [0, 1, 4]


def test_stopping_what_is_done_hits_nobody(bench: Bench) -> None:
    def wait(n: int) -> int:
        import time

        time.sleep(0.01)
        return n

    for _ in range(5):
        bench.start(wait, *((n,) for n in range(10)))
        seen = bench.collect(Seen(), lambda seen: len(seen.outcomes) > 3)
        bench.stop(*seen.outcomes)
        assert len(bench.finish(seen).outcomes) == 10


def test_signal_of_a_stop_reaches_the_programs_of_a_job(bench: Bench) -> None:
    def wait() -> None:
        import signal
        import subprocess

        signal.signal(signal.SIGTERM, lambda *_: None)
        loop = "trap 'echo told; exit' TERM; echo ready; while :; do sleep 0.02; done"
        subprocess.run(["/bin/sh", "-c", loop], check=False)

    bench.start(wait, ())
    seen = bench.collect(Seen(), lambda seen: bool(seen.output))
    bench.stop(0)
    assert "told" in bench.finish(seen).text()


def test_children_that_outlive_a_job_are_killed(bench: Bench) -> None:
    def leave() -> None:
        import os
        import time

        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(60)
                os._exit(0)

    def count() -> int:
        import os
        import subprocess

        command = ["ps", "--ppid", str(os.getppid()), "-o", "pid="]
        return len(subprocess.run(command, capture_output=True, check=False).stdout.split())

    bench.run(leave)
    assert bench.run(count).value() == 1


def test_home_and_tmp_are_empty_again(bench: Bench) -> None:
    def litter() -> None:
        import os
        import tempfile
        from pathlib import Path

        for top in (Path.home(), Path(tempfile.gettempdir())):
            deep = top
            for _ in range(30):
                deep = deep / ("d" * 200)
                deep.mkdir()
                (deep / "file").touch()
                if len(str(deep)) > 3500:
                    break
            (top / "link").symlink_to("/")
            locked = top / "locked"
            (locked / "inner").mkdir(parents=True)
            (locked / "inner" / "file").touch()
            (locked / "inner").chmod(0)
            locked.chmod(0o100)
            top.chmod(0o500)
        os.chdir("/")

    def look() -> list[str]:
        import os
        import tempfile
        from pathlib import Path

        (Path.home() / "writable").touch()
        return [os.getcwd() == str(Path.home()), *os.listdir(tempfile.gettempdir())]

    seen = bench.run(litter)
    assert seen.outcomes[0]["ok"], seen.error()
    assert bench.run(look).value() == [True]


def test_deep_directories_are_removed(bench: Bench) -> None:
    def dig() -> None:
        import os

        for _ in range(300):
            os.mkdir("d")
            os.chdir("d")

    def look() -> list[str]:
        import os

        return os.listdir(".")

    bench.run(dig)
    assert bench.run(look).value() == []


@pytest.mark.parametrize("kind", ["process", "container"])
def test_runner_ends_with_everything_when_its_worker_goes(base_image: str, kind: str) -> None:
    def wait() -> None:
        import subprocess
        import time

        subprocess.Popen(["setsid", "sleep", "60"])
        print("ready")
        time.sleep(60)

    with make_sandbox(kind, base_image) as sandbox:
        bench = Bench(sandbox)
        bench.start(wait, ())
        bench.collect(Seen(), lambda seen: bool(seen.output))
        runner = Path(f"/proc/{sandbox._link.peer_pid}")
        sandbox._link.close()
        wait_until(lambda: not runner.exists() or "Z" in (runner / "stat").read_text(), what="the runner to end")
