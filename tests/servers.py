"""Real servers for the tests: Valkey, PostgreSQL and an S3 service, each on a temporary directory."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from picloud_site.supervisor.servers import valkey_command
from tests.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(address: Path | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    with socket.socket(family) as probe:
        target = str(address) if isinstance(address, Path) else address
        return probe.connect_ex(target) == 0


@contextmanager
def running(
    command: list[str],
    *,
    at: Path | tuple[str, int],
    env: dict[str, str] | None = None,
    ends_by: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """The command, from the moment it answers at its address."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env) as process:
        try:
            wait_until(lambda: process.poll() is not None or listens(at), timeout=30, what=f"{command[0]} to listen")
            if process.poll() is not None:
                assert process.stderr is not None
                raise AssertionError(f"{command[0]} ended with {process.returncode}: {process.stderr.read().decode()}")
            yield
        finally:
            process.send_signal(ends_by)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def valkey(directory: Path) -> Iterator[Path]:
    """A Valkey server as `make up` starts it; the path of its socket."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "redis.sock"
    with running(valkey_command(socket_path=path, directory=directory), at=path):
        yield path


@contextmanager
def valkey_on(address: str, directory: Path) -> Iterator[str]:
    """A Valkey server that other machines reach; its address as REDIS_URL."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    # Of an option that is named twice, the last one counts.
    command = valkey_command(socket_path=directory / "redis.sock", directory=directory)
    with running([*command, "--port", str(port), "--bind", address, "--protected-mode", "no"], at=(address, port)):
        yield f"redis://{address}:{port}/0"


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise AssertionError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def _as_postgres(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root.
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if os.getuid() == 0 else command
    )


@contextmanager
def postgres(directory: Path, *, database: str = "", address: str = "") -> Iterator[None]:
    """A PostgreSQL server with a superuser `picloud`, on a socket in `directory`, and at an address if one is named."""
    programs = _postgres_programs()
    directory.mkdir(mode=0o755)
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    data = directory / "data"
    create = [str(programs / "initdb"), "-D", str(data), "-U", "picloud", "-A", "trust", "-E", "UTF8", "--no-sync"]
    # The locale decides sort order and the language of messages.
    subprocess.run(_as_postgres([*create, "--locale=C.UTF-8"]), check=True, capture_output=True, cwd="/")
    if address:
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {address}/24 trust\n")
    options = {"listen_addresses": address, "unix_socket_directories": str(directory), "fsync": "off"}
    serve = [str(programs / "postgres"), "-D", str(data)]
    serve += [f"-c{name}={value}" for name, value in options.items()]
    try:
        # At SIGTERM it would wait for clients to hang up, also for one that is cut off.
        with running(_as_postgres(serve), at=directory / ".s.PGSQL.5432", ends_by=signal.SIGINT):
            # Its socket is there before it lets anybody in.
            is_ready = [str(programs / "pg_isready"), "-q", "-h", str(directory)]
            wait_until(
                lambda: subprocess.run(is_ready, check=False, cwd="/").returncode == 0, timeout=60, what="PostgreSQL"
            )
            if database:
                create = [str(programs / "createdb"), "-h", str(directory), "-U", "picloud", database]
                subprocess.run(create, check=True, capture_output=True, cwd="/")
            yield
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True)
class S3Server:
    endpoint_url: str
    bucket: str
    access_key: str = "picloud-test"
    secret_key: str = "picloud-test-secret"


@contextmanager
def s3(directory: Path, *, address: str = "127.0.0.1") -> Iterator[S3Server]:
    """An S3 service that keeps its one bucket under `directory`."""
    (directory / "picloud").mkdir(parents=True)
    port = free_port()
    server = S3Server(endpoint_url=f"http://{address}:{port}", bucket="picloud")
    command = [
        str(Path(sys.executable).with_name("rclone")),
        *("serve", "s3", "--addr", f"{address}:{port}", "--config", os.devnull, "--vfs-cache-mode", "off"),
        *("--auth-key", f"{server.access_key},{server.secret_key}", str(directory)),
    ]
    with running(command, at=(address, port)):
        yield server
