"""A whole PiCloud for end-to-end tests: the supervisor and everything below it, on a free port and an own home."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from tests.servers import free_port
from tests.waiting import wait_until

CODE = Path(__file__).resolve().parent.parent
# How the processes of a stack are told apart on the machine.
MARKS = {"web": "picloud_site.web", "worker": "manage.py worker", "clock": "manage.py clock", "valkey": "valkey-server"}


@dataclass(frozen=True)
class Account:
    """What `manage.py create_account` answered, and where it is valid."""

    url: str
    username: str
    password: str
    api_key: int
    api_secretkey: str

    @property
    def env(self) -> dict[str, str]:
        return {
            "PICLOUD_URL": self.url,
            "PICLOUD_API_KEY": str(self.api_key),
            "PICLOUD_API_SECRETKEY": self.api_secretkey,
        }

    def start(self, script: str, *, cwd: Path) -> subprocess.Popen[str]:
        """A client in a process of its own, as a user's script would be."""
        path = cwd / f"script{len(list(cwd.glob('script*')))}.py"
        path.write_text(script)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PICLOUD_")}
        return subprocess.Popen(
            [sys.executable, str(path)],
            cwd=cwd,
            env=env | self.env | {"PYTHONPATH": str(CODE), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *, cwd: Path, timeout: float = 60) -> str:
        """What the script printed; fails with its traceback when it failed."""
        return finish(self.start(script, cwd=cwd), timeout=timeout)


def finish(process: "subprocess.Popen[str]", *, timeout: float = 60) -> str:
    """What the client printed till its end."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the client did not end within {timeout:g} s:\n{out}{err}") from None
    assert process.returncode == 0, out + err
    return out


class Stack:
    def __init__(self, home: Path, *, port: int | None = None, **settings: str) -> None:
        self.home = home
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self.log_path = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: set[int] = set()

    @property
    def env(self) -> dict[str, str]:
        foreign = ("PICLOUD_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "MAKE", "MFLAGS")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "PICLOUD_HOME": str(self.home), "PICLOUD_WORKERS": "2"}
        return env | own | self.settings

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def launch(self, *command: str) -> None:
        """Starts it without waiting until it serves."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command or (sys.executable, "-m", "picloud_site.supervisor"),
                cwd=CODE,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *command: str, timeout: float = 60) -> None:
        self.launch(*command)
        self.wait_healthy(timeout=timeout)

    def wait_healthy(self, *, timeout: float = 30) -> None:
        def healthy() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, "the supervisor ended"
            return self.health()[0] == 200

        try:
            wait_until(healthy, timeout=timeout, what=f"{self.url}/healthz")
        except AssertionError as error:
            last = "\n".join(self.log.splitlines()[-60:])
            raise AssertionError(f"{error}\n{self.health()}\n{last}") from None
        self.seen |= set(self.pids())

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def health(self) -> tuple[int, Any]:
        status, body = self.get("/healthz")
        try:
            return status, json.loads(body)
        except ValueError:
            return status, None

    def manage(self, *arguments: str) -> str:
        """What `python manage.py ...` prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=CODE, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def account(self, name: str) -> Account:
        password = f"{name}-has-a-long-password"
        answer = json.loads(self.manage("create_account", name, "--password", password))
        return Account(url=self.url, password=password, **answer)

    def pids(self, role: str = "") -> list[int]:
        """Process ids of this stack, below its supervisor; of one role when it is named."""
        assert self.process is not None
        return [pid for pid in descendants(self.process.pid) if MARKS.get(role, "") in command_line(pid)]

    def kill(self, role: str, *, number: signal.Signals = signal.SIGKILL) -> list[int]:
        """Kills the processes of a role outright; their ids."""
        pids = [pid for pid in self.pids(role) if command_line(pid)]
        assert pids, f"no {role} runs"
        for pid in pids:
            os.kill(pid, number)
        return pids

    def stop(self, *, number: signal.Signals = signal.SIGTERM, timeout: float = 15) -> None:
        assert self.process is not None
        self.seen |= set(self.pids())
        self.process.send_signal(number)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(f"it did not stop within {timeout:g} s:\n{self.log}") from None

    def kill_all(self) -> None:
        """After a failure: no process of this stack may outlive its test."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def containers(self) -> list[str]:
        command = ["podman", "ps", "--all", "--quiet", "--filter", f"label=picloud.home={self.home}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    def networks(self) -> list[str]:
        """Namespaces, links and packet filters of its sandboxes; the tag is how the worker names them."""
        tag = hashlib.sha256(str(self.home).encode()).hexdigest()[:7]
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False).stdout
        places = [*Path("/run/netns").glob("*"), *Path("/sys/class/net").glob("*")]
        return [name for name in [*map(str, places), *tables.splitlines()] if tag in name]

    def left_behind(self) -> dict[str, list[str]]:
        """Whatever of this stack is still there."""
        alive = [pid for pid in self.seen | of_home(self.home) if command_line(pid)]
        return {
            "processes": [f"{pid} {command_line(pid)}" for pid in alive],
            "sockets": [str(path) for path in self.home.rglob("*") if path.is_socket()],
            "containers": self.containers() if self.settings.get("PICLOUD_SANDBOX") != "process" else [],
            "networks": self.networks(),
        }

    def assert_nothing_left(self) -> None:
        left = {kind: things for kind, things in self.left_behind().items() if things}
        assert not left, f"{left}\n{self.log[-5000:]}"


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def command_line(pid: int) -> str:
    """Empty when the process is gone, or dead and not yet collected."""
    return _read(pid, "cmdline")


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def of_home(home: Path) -> set[int]:
    """Processes that were started with this PICLOUD_HOME."""
    return {pid for pid in _all_pids() if f"PICLOUD_HOME={home} " in _read(pid, "environ") + " "}


def descendants(root: int) -> list[int]:
    """All processes below one, whoever their parent is."""
    parents = {}
    for pid in _all_pids():
        fields = _read(pid, "stat").rpartition(")")[2].split()
        if fields:
            parents[pid] = int(fields[1])
    found: list[int] = []
    level = [root]
    while level:
        level = [pid for pid, parent in parents.items() if parent in level]
        found += level
    return found


@contextmanager
def stack_at_rest(**settings: str) -> Iterator[Stack]:
    """A stack that is not yet started. Whatever the test did, it is over at the end, and must leave nothing."""
    # A short path: Unix sockets below it must fit in 107 bytes.
    parent = Path(tempfile.mkdtemp(prefix="picloud-e2e-"))
    one = Stack(parent / "home", **settings)
    try:
        yield one
        if one.process is not None:
            if one.process.poll() is None:
                one.stop()
            one.assert_nothing_left()
    finally:
        one.kill_all()
        rmtree(parent, ignore_errors=True)


@contextmanager
def stack(**settings: str) -> Iterator[Stack]:
    """A serving stack."""
    with stack_at_rest(**settings) as one:
        one.start()
        yield one
