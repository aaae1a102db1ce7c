"""The rivals: an environment of their own, a Valkey of their own, and how each is started."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.contestants import ROOT, Contestant
from picloud_site.supervisor.servers import valkey_command
from tests.servers import running
from tests.stack import Account

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
VENV = ROOT / "var" / "bench" / "rivals"
DRIVERS = "benchmarks.drivers"


def rivals_python() -> Path:
    """The interpreter that has the rivals installed; installs them when that has not been done."""
    python, stamp = VENV / "bin" / "python", VENV / "requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing the rivals ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return python


@contextmanager
def valkey(directory: Path) -> Iterator[str]:
    """A Valkey without persistence, as the rivals' own benchmarks use it; its address."""
    directory.mkdir(parents=True)
    path = directory / "redis.sock"
    command = valkey_command(socket_path=path, directory=directory)
    command += ["--appendonly", "no"]
    # Celery's results of 100 kB overrun the default limit of subscribers, and then it waits for ever.
    command += ["--client-output-buffer-limit", "pubsub 0 0 0"]
    with running(command, at=path):
        yield f"unix://{path}"


def ours(account: Account) -> Contestant:
    return Contestant(name="PiCloud", module=f"{DRIVERS}.picloud", env=account.env)


def process_pool() -> Contestant:
    return Contestant(name="ProcessPoolExecutor(2)", module=f"{DRIVERS}.process_pool")


def celery(python: Path, redis_url: str) -> Contestant:
    module = f"{DRIVERS}.celery_prefork"
    worker = [str(python), "-m", "celery", "-A", module, "worker", "-c", "2", "-P", "prefork", "-l", "WARNING"]
    address = redis_url.replace("unix://", "redis+socket://")
    # Celery refuses to unpickle as root, unless told that this is meant.
    env = {"BENCH_REDIS_URL": address, "C_FORCE_ROOT": "1"}
    return Contestant(name="Celery prefork", module=module, python=str(python), env=env, workers=[worker])


def rq(python: Path, redis_url: str, *, forking: bool) -> Contestant:
    """Two workers: `forking` a process for each job, as RQ does by itself, or working in the worker."""
    queue = "forking" if forking else "simple"
    kind = "rq.worker.Worker" if forking else "rq.worker.SimpleWorker"
    worker = [str(VENV / "bin" / "rq"), "worker", "--quiet", "--url", redis_url, "--worker-class", kind, queue]
    return Contestant(
        name="RQ forking" if forking else "RQ SimpleWorker",
        module=f"{DRIVERS}.rq_queue",
        arguments=[queue],
        python=str(python),
        env={"BENCH_REDIS_URL": redis_url},
        workers=[worker, worker],
    )


def dask(python: Path) -> Contestant:
    # Its clean-up writes where it is started from unless told otherwise.
    env = {"DASK_TEMPORARY_DIRECTORY": str(VENV / "dask"), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return Contestant(name="Dask LocalCluster", module=f"{DRIVERS}.dask_cluster", python=str(python), env=env)
