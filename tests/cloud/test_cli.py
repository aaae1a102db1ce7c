"""The picloud command: what it prints and how it exits."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cloud
from cloud.cli import logs
from cloud.cli.main import run
from cloud.cli.setup import config_file
from tests.cloud.service import CODE, Service

Capture = pytest.CaptureFixture[str]


def fail() -> None:
    raise KeyError("lost")


def test_no_command_prints_help_and_fails(capsys: Capture) -> None:
    assert run([]) == 1
    assert "core-types" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["status", "5-2"], ["status"], ["nonsense"], ["-v"], ["keys"], ["-o", "xml", "status", "1"]]
)
def test_wrong_usage_ends_with_1(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        run(arguments)
    assert end.value.code == 1
    assert capsys.readouterr().err


def test_the_version_names_python_too(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        run(["--version"])
    assert f"picloud {cloud.__version__} (Python 3." in capsys.readouterr().out


def test_status_in_its_three_styles(alice_calls: Service, capsys: Capture) -> None:
    cloud.map(abs, [1, 2])
    run(["status", "1,2"])
    assert capsys.readouterr().out.splitlines() == ["jid  status", "1    done", "2    done"]
    run(["-o", "no-header", "status", "1-2"])
    assert capsys.readouterr().out.splitlines() == ["1  done", "2  done"]
    run(["status", "1-2", "--output", "json"])
    assert json.loads(capsys.readouterr().out) == [{"jid": 1, "status": "done"}, {"jid": 2, "status": "done"}]


def test_what_the_service_refuses_ends_with_3(alice_calls: Service, capsys: Capture) -> None:
    assert run(["status", "9"]) == 3
    assert "picloud: Error job_unknown: There is no job 9" in capsys.readouterr().err
    assert run(["-o", "json", "result", "9"]) == 3
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "job_unknown"


def test_nothing_configured_ends_with_3_and_a_sentence(capsys: Capture) -> None:
    assert run(["account"]) == 3
    assert "picloud setup" in capsys.readouterr().err


def test_result_of_bytes_is_those_bytes(alice_calls: Service, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    cloud.call(lambda: bytes(range(256)))
    assert run(["result", "1"]) == 0
    assert capfdbinary.readouterr().out == bytes(range(256))


@pytest.mark.parametrize(
    ("value", "text"), [("two\nlines\n", "two\nlines\n"), ({"a": [1]}, '{"a": [1]}\n'), (3, "3\n")]
)
def test_result_of_text_and_data(alice_calls: Service, capsys: Capture, value: Any, text: str) -> None:
    cloud.call(lambda: value)
    run(["result", "1"])
    assert capsys.readouterr().out == text


def test_results_of_many_jobs_have_headings_or_are_json(alice_calls: Service, capsys: Capture) -> None:
    cloud.map(abs, [1, 2])
    run(["result", "1-2"])
    assert capsys.readouterr().out == "[job 1]\n1\n[job 2]\n2\n"
    run(["-o", "json", "result", "1-2"])
    assert json.loads(capsys.readouterr().out) == {"1": 1, "2": 2}


def test_a_result_without_a_json_form_is_refused_as_json(alice_calls: Service, capsys: Capture) -> None:
    cloud.call(lambda: {1, 2})
    assert run(["result", "1"]) == 0
    assert run(["-o", "json", "result", "1"]) == 1
    assert "no JSON form" in capsys.readouterr().err


def test_a_failed_job_fails_the_command_unless_errors_are_ignored(alice_calls: Service, capsys: Capture) -> None:
    cloud.call(fail)
    assert run(["join", "1"]) == 3
    assert "KeyError: 'lost'" in capsys.readouterr().err
    assert run(["result", "-i", "1"]) == 0
    assert "KeyError: 'lost'" in capsys.readouterr().out


def test_kill_of_everything_needs_a_yes(alice_calls: Service, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["kill"]) == 1
    assert "say --yes" in capsys.readouterr().err
    assert run(["kill", "--yes"]) == 0
    assert run(["kill", "4-6"]) == 0
    assert [header["jids"] for header in alice_calls.headers_of("/api/v1/kill")] == [None, [[4, 6]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "status", "calls"), [("y\n", 0, 1), ("\n", 1, 0), ("no\n", 1, 0)])
def test_delete_asks_on_a_terminal(
    alice_calls: Service, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, calls: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run(["delete", "1-3"]) == status
    assert len(alice_calls.headers_of("/api/v1/delete")) == calls


def test_exec_runs_a_command_and_its_output_is_the_result(alice_calls: Service, capsys: Capture) -> None:
    assert run(["exec", "echo hello | tr a-z A-Z"]) == 0
    assert capsys.readouterr().out == "1\n"
    run(["result", "1"])
    assert capsys.readouterr().out == "HELLO\n"


def test_exec_keeps_words_apart_and_passes_its_options(alice_calls: Service, capsys: Capture) -> None:
    flags = ["-t", "c2", "-c", "2", "-l", "night", "-m", "1.5", "-x", "1-2", "--not-restartable", "--priority", "3"]
    alice_calls.runs_jobs = False
    assert run(["exec", *flags, "--", "printf", "%s|", "a b", "$HOME"]) == 0
    (header,) = alice_calls.headers_of("/api/v1/jobs")
    wanted = {"type": "c2", "cores": 2, "label": "night", "max_runtime": 1.5, "depends_on": [[1, 2]], "priority": 3}
    assert header["options"].items() >= {**wanted, "restartable": False}.items()
    alice_calls.run([1])
    assert cloud.result(1) == b"a b|$HOME|"


def test_exec_of_a_failing_command_is_an_error_with_the_end_of_its_stderr(alice_calls: Service) -> None:
    run(["exec", "echo out; echo broken >&2; exit 4"])
    run(["exec", "-i", "echo out; exit 4"])
    with pytest.raises(cloud.CloudException, match=r"(?s)exit status 4:\nbroken"):
        cloud.result(1)
    assert cloud.result(2) == b"out\n"


def test_exec_can_return_a_file(alice_calls: Service, tmp_path: Path) -> None:
    run(["exec", "-w", str(tmp_path), "-r", "made", "echo ignored; printf kept > made"])
    assert cloud.result(1) == b"kept"


def test_files_go_there_and_back(alice_calls: Service, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert run(["files", "put", str(tmp_path / "a"), "b"]) == 0
    assert run(["files", "get", "b", str(tmp_path / "c")]) == 0
    assert (tmp_path / "c").read_bytes() == b"content"
    run(["files", "exists", "b"])
    run(["files", "delete", "--yes", "b"])
    run(["files", "exists", "b"])
    assert capsys.readouterr().out == "true\nfalse\n"


def test_a_missing_local_file_ends_with_1(alice_calls: Service, capsys: Capture) -> None:
    assert run(["files", "put", "/nowhere/a"]) == 1
    assert "/nowhere/a is no file" in capsys.readouterr().err


def test_setup_checks_the_key_and_writes_it(service: Service, capsys: Capture) -> None:
    assert run(["setup", "--url", service.url, "--api-key", "7", "--api-secretkey", "secret"]) == 0
    assert "knows you as alice" in capsys.readouterr().err
    assert config_file().stat().st_mode & 0o777 == 0o600
    assert "secret" in config_file().read_text()


def test_setup_again_keeps_what_else_was_set(service: Service) -> None:
    run(["setup", "--url", service.url, "--api-key", "7", "--api-secretkey", "secret"])
    with config_file().open("a") as file:
        file.write("automatic_dependency_transfer = false\n")
    assert run(["setup", "--url", service.url, "--api-key", "8", "--api-secretkey", "secret"]) == 0
    written = config_file().read_text()
    assert "api_key = 8\n" in written
    assert "automatic_dependency_transfer = false\n" in written


def test_setup_writes_nothing_when_the_key_is_wrong(service: Service, capsys: Capture) -> None:
    service.before = lambda handler: handler.refuse(401, "bad_key", "The key is wrong.") is None
    assert run(["setup", "--url", service.url, "--api-key", "7", "--api-secretkey", "secret"]) == 3
    assert "The key is wrong." in capsys.readouterr().err
    assert not config_file().exists()


def test_setup_can_leave_out_the_check_and_read_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    assert run(["setup", "--url", "http://x:1", "--api-key", "7", "--api-secretkey", "-", "--no-check"]) == 0
    assert "api_secretkey = from a pipe\n" in config_file().read_text()


def test_setup_with_nobody_to_ask_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["setup"]) == 1
    assert "give --url, --api-key and --api-secretkey" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("ab", "abc", "c"), ("", "abc", "abc"), ("0123456789", "56789ab", "ab"), ("abc", "xyz", "xyz"), ("ab", "ab", "")],
)
def test_followed_output_is_printed_once(old: str, new: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_OVERLAP", 3)
    assert logs.added(old, new) == expected


def test_the_command_survives_a_reader_that_has_seen_enough(alice_calls: Service) -> None:
    cloud.map(abs, range(2000))
    reading, writing = os.pipe()
    command = subprocess.Popen(
        [sys.executable, "-m", "cloud.cli.main", "status", "1-2000"], stdout=writing, stderr=subprocess.PIPE, cwd=CODE
    )
    os.close(writing)
    os.close(reading)
    _, errors = command.communicate(timeout=20)
    assert errors == b""
