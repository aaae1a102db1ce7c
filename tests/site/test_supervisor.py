"""What the supervisor refuses, and how it treats its processes. Whole stacks are in tests/e2e."""

import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from picloud_site.supervisor import processes
from picloud_site.supervisor.run import read_procfile
from tests.stack import CODE, Stack, command_line, stack_at_rest
from tests.waiting import wait_until


@pytest.fixture
def stack() -> Iterator[Stack]:
    with stack_at_rest(PICLOUD_SANDBOX="process") as one:
        yield one


def refusal_of(stack: Stack) -> str:
    stack.launch()
    assert stack.process is not None
    assert stack.process.wait(20) == 1
    return stack.log


def test_taken_port_is_refused_with_a_way_out(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", stack.port)):
        said = refusal_of(stack)
    assert f"127.0.0.1:{stack.port} cannot be used (Address already in use)" in said
    assert "PORT=8001 make up" in said


def test_second_supervisor_of_a_home_is_refused(stack: Stack) -> None:
    stack.home.mkdir()
    holder = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); f.write('4711'); f.flush(); print(); input()"
    )
    command = [sys.executable, "-c", holder, str(stack.home / "supervisor.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        said = refusal_of(stack)
        other.communicate(b"\n")
    assert f"Process 4711 already serves {stack.home}" in said


def test_home_too_long_for_sockets_is_refused(stack: Stack) -> None:
    stack.home = stack.home / ("x" * 90)
    assert "too long for Unix sockets" in refusal_of(stack)


def test_setting_that_cannot_be_understood_is_one_sentence(stack: Stack) -> None:
    stack.settings["PICLOUD_WORKERS"] = "two"
    assert refusal_of(stack).strip() == "PICLOUD_WORKERS must be a whole number, not 'two'."


def test_procfile_is_names_and_commands(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# ours\nweb: run --port 1:2\n\nclock: tick\n")
    assert read_procfile(tmp_path / "Procfile") == {"web": "run --port 1:2", "clock": "tick"}


def test_process_that_dies_young_starts_later_each_time(tmp_path: Path) -> None:
    process = processes.Process("x", ["false"], env={}, cwd=tmp_path)
    pauses = []
    for _ in range(7):
        pauses.append(process.pause)
        process.note_end(1)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_lines_carry_the_name_of_their_process(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    printer = processes.Printer(["web", "worker-1"])
    printer.feed("web", b"half a ")
    printer.feed("worker-1", b"\xff whole\n")
    printer.feed("web", b"line\nrest")
    printer.feed("web", b"")
    written = capfdbinary.readouterr().out.decode()
    assert written == "worker-1 | \ufffd whole\nweb      | half a line\nweb      | rest\n"


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, time\n"
        "from picloud_site.supervisor.processes import Process\n"
        "child = Process('x', ['sleep', '600'], env=dict(os.environ), cwd=pathlib.Path('.'))\n"
        "child.start(); print(child.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert command_line(child) == "sleep 600"
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not command_line(child), what="the child to die")


def test_output_ends_with_its_process(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    selector, printer = selectors.DefaultSelector(), processes.Printer(["x"])
    process = processes.Process("x", ["echo", "hello"], env=dict(os.environ), cwd=tmp_path)
    process.start()
    assert process.output is not None
    selector.register(process.output, selectors.EVENT_READ)
    while process.output is not None:
        selector.select(5)
        processes.read_output(process, printer, selector)
    assert capfdbinary.readouterr().out == b"x | hello\n"


def test_supervisor_stays_small() -> None:
    script = "import sys, picloud_site.supervisor.run; print(sorted({'django', 'asyncio', 'ssl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=CODE, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
