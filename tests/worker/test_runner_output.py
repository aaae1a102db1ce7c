"""What jobs print reaches the worker as theirs."""

from tests.worker.conftest import Bench, Seen


def test_streams_are_kept_apart(bench: Bench) -> None:
    def talk() -> None:
        import logging
        import os
        import sys

        print("out")
        print("err", file=sys.stderr)
        logging.getLogger("mine").warning("%d bottles", 99)
        os.write(1, b"raw\n")

    seen = bench.run(talk)
    assert seen.text() == "out\nraw\n"
    assert seen.text(stream="stderr").startswith("err\n")
    assert seen.text(stream="logging").endswith("WARNING mine: 99 bottles\n")


def test_each_byte_belongs_to_the_job_that_printed_it(bench: Bench) -> None:
    def talk(n: int) -> None:
        import os
        import subprocess

        print(f"python {n}", end="")
        if n % 10 == 0:
            subprocess.run(["/bin/sh", "-c", f"echo shell {n}"], check=True)
        os.write(2, b"%d" % n)

    seen = bench.run(talk, *((n,) for n in range(50)))
    assert all(
        seen.text(n).startswith(("shell", "python")) and seen.text(n).count(f"python {n}") == 1 for n in range(50)
    )
    assert [seen.text(n, "stderr") for n in range(50)] == [str(n) for n in range(50)]


def test_output_goes_ahead_of_the_outcome(bench: Bench) -> None:
    def talk(n: int) -> None:
        print("x" * 100_000)

    seen = bench.run(talk, (0,), (1,))
    for job in (0, 1):
        last = max(place for place, event in enumerate(seen.order) if event == ("output", (job, "stdout")))
        assert last < seen.order.index(("outcome", job))


def test_output_arrives_while_the_job_runs(bench: Bench) -> None:
    def talk() -> None:
        import time

        print("first")
        time.sleep(60)

    bench.start(talk, ())
    seen = bench.collect(Seen(), lambda seen: bool(seen.output))
    bench.stop(0)
    assert (seen.text(), seen.outcomes) == ("first\n", {})
    bench.finish(seen)


def test_invalid_utf_8_and_surrogates_pass(bench: Bench) -> None:
    def talk() -> None:
        import os

        os.write(1, b"\xff\xfe\n")
        print("\udc80")

    assert bench.run(talk).output[0, "stdout"] == b"\xff\xfe\n\\udc80\n"


def test_100_mb_of_output_arrive_and_the_job_waits_for_its_reader(bench: Bench) -> None:
    def talk() -> None:
        import os

        block = b"x" * 999_999 + b"\n"
        for _ in range(100):
            view = memoryview(block)
            while view:
                view = view[os.write(1, view) :]

    assert len(bench.run(talk).output[0, "stdout"]) == 100_000_000


def test_job_that_closes_its_stdout_leaves_the_next_one_a_new_one(bench: Bench) -> None:
    def close(n: int) -> None:
        import os
        import sys

        if n == 0:
            sys.stdout.close()
            os.close(1)
        else:
            print("heard")

    seen = bench.run(close, (0,), (1,))
    assert seen.outcomes[0]["ok"]
    assert seen.text(1) == "heard\n"


def test_job_that_redirects_its_stdout_leaves_the_next_one_a_new_one(bench: Bench) -> None:
    def redirect(n: int) -> None:
        import io
        import os
        import sys

        if n == 0:
            sys.stdout = io.StringIO()
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        else:
            print("heard")

    assert bench.run(redirect, (0,), (1,)).text(1) == "heard\n"


def test_c_library_is_flushed(bench: Bench) -> None:
    def talk() -> None:
        import ctypes

        ctypes.CDLL(None).printf(b"from C\n")

    assert bench.run(talk, (), ()).text(0) == "from C\n"


def test_running_item_is_announced(bench: Bench) -> None:
    def wait(n: int) -> None:
        import time

        time.sleep(0.2 * n)

    seen = bench.run(wait, (0,), (1,))
    assert [event for event in seen.order if event[0] == "started"] == [("started", 1)]


def test_logging_set_up_by_the_job_works_as_usual(bench: Bench) -> None:
    def talk() -> None:
        import logging

        logging.basicConfig(level=logging.INFO, format="mine: %(message)s")
        logging.getLogger().info("hello")

    seen = bench.run(talk)
    assert seen.text(stream="stderr") == "mine: hello\n"
    assert "INFO root: hello" in seen.text(stream="logging")
