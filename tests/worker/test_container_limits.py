"""What a container may use, and what the worker sees of it."""

from collections.abc import Iterator

import pytest

from tests.waiting import wait_until
from tests.worker.conftest import Bench, Seen, make_sandbox
from worker.sandbox import Limits

SMALL = Limits(memory=150_000_000, cpu_shares=1024, processes=32, disk=20_000_000)


@pytest.fixture(scope="module")
def small(base_image: str) -> Iterator[Bench]:
    with make_sandbox("container", base_image, limits=SMALL) as sandbox:
        yield Bench(sandbox)


def test_job_that_fills_memory_dies_alone_and_is_counted(small: Bench) -> None:
    def fill(n: int) -> int:
        if n == 1:
            held = []
            while True:
                held.append(bytearray(10_000_000))
        return n

    before = small.sandbox.usage().oom_kills
    seen = small.run(fill, (0,), (1,), (2,))
    assert [seen.value(n) for n in (0, 2)] == [0, 2]
    assert seen.outcomes[1]["signal"] == "SIGKILL"
    usage = small.sandbox.usage()
    assert (usage.oom_kills - before, usage.memory_peak >= 140_000_000) == (1, True)


def test_memory_in_shared_memory_and_subprocesses_counts(small: Bench) -> None:
    def fill() -> None:
        import subprocess

        for n in range(20):
            subprocess.run(["dd", "if=/dev/zero", f"of=/dev/shm/{n}", "bs=1M", "count=15"], check=True)

    before = small.sandbox.usage().oom_kills
    assert not small.run(fill).outcomes[0]["ok"]
    assert small.sandbox.usage().oom_kills > before
    assert small.run(lambda: "alive").value() == "alive"


def test_fork_bomb_stays_within_its_processes_and_is_cleared_away(small: Bench) -> None:
    def bomb() -> None:
        import os
        import time

        while True:
            try:
                if os.fork() == 0:
                    os.setsid()
            except OSError:
                print("full", flush=True)
                time.sleep(60)

    small.start(bomb, ())
    seen = small.collect(Seen(), lambda seen: b"full" in seen.output.get((0, "stdout"), b""))
    assert len(small.sandbox._meter.pids()) <= SMALL.processes + 8
    small.stop(0)
    small.finish(seen)
    assert small.run(lambda: "alive").value() == "alive"


def test_one_file_cannot_be_larger_than_the_disk(small: Bench) -> None:
    def fill() -> None:
        from pathlib import Path

        Path("big").write_bytes(b"x" * 30_000_000)

    outcome = small.run(fill).outcomes[0]
    assert "File too large" in outcome["error"]
    assert (outcome["reason"], outcome["exception"]) == ("out_of_disk", True)


def test_disk_usage_counts_files_with_and_without_a_name(small: Bench) -> None:
    def fill() -> None:
        import tempfile
        import time
        from pathlib import Path

        Path("named").write_bytes(b"x" * 10_000_000)
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 15_000_000)
            file.flush()
            print("ready", flush=True)
            time.sleep(60)

    small.start(fill, ())
    seen = small.collect(Seen(), lambda seen: bool(seen.output))
    wait_until(lambda: small.sandbox.usage().disk > 24_000_000, what="the disk to be seen as full")
    small.stop(0)
    small.finish(seen)
    wait_until(lambda: small.sandbox.usage().disk < 100_000, what="the disk to be empty again")


def test_many_empty_files_count_too(small: Bench) -> None:
    def litter() -> None:
        import time
        from pathlib import Path

        for n in range(1000):
            Path(f"file{n}").touch()
        print("ready", flush=True)
        time.sleep(60)

    small.start(litter, ())
    seen = small.collect(Seen(), lambda seen: bool(seen.output))
    wait_until(lambda: small.sandbox.usage().disk >= 500_000, what="the files to be counted")
    small.stop(0)
    small.finish(seen)


def test_cpu_and_memory_are_seen_from_outside(container: Bench) -> None:
    def work() -> None:
        import time

        held = bytearray(50_000_000)
        end = time.process_time() + 0.3
        while time.process_time() < end:
            held[0] += 0

    before = container.sandbox.usage()
    container.start(work, ())
    wait_until(lambda: container.sandbox.usage().memory > before.memory + 45_000_000, what="the memory to be seen")
    container.finish()
    after = container.sandbox.usage()
    assert 0.25e9 < after.cpu_ns - before.cpu_ns < 2e9
    assert after.memory_peak >= before.memory + 45_000_000
    container.sandbox.reset_peak()
    assert container.sandbox.usage().memory_peak < after.memory_peak
