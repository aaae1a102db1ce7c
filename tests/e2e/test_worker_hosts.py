"""Several machines: worker hosts with addresses of their own join one with the web, PostgreSQL, Redis and S3."""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.rows import dict_row

from tests import servers
from tests.lan import Lan, Machine, lan
from tests.stack import Account, Stack, finish, stack_at_rest
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="namespaces need root and ip")

HOSTS = "SELECT name, provider, state, slots, core_types, problem, reference FROM realtime_host ORDER BY id"


class WorkerHost(Stack):
    """A machine that joins by hand."""

    def __init__(self, machine: Machine, home: Path, **settings: str) -> None:
        super().__init__(home, **settings)
        self.machine = machine

    def join(self, *options: str) -> None:
        """As people do it; `wait` for what it says."""
        self.launch(*self.machine.enter, sys.executable, "manage.py", "worker_host", *options)

    def tell_to_stop(self) -> None:
        assert self.process is not None
        self.seen |= set(self.pids())
        self.process.terminate()

    def wait_until_gone(self) -> None:
        assert self.process is not None
        self.process.wait(60)
        self.assert_nothing_left()

    def wait_for(self, words: str, *, timeout: float = 120) -> None:
        def said() -> bool:
            assert self.process is not None
            ended = self.process.poll() is not None
            assert words in self.log or not ended, self.log
            return words in self.log

        wait_until(said, timeout=timeout, what=f"{words!r} in the output of {self.machine.name}")


@dataclass
class Cluster:
    lan: Lan
    head: Stack
    directory: Path
    shared: dict[str, str]
    leaving: ExitStack

    def host(self, number: int) -> WorkerHost:
        """A machine on the network that knows how to join."""
        machine = self.lan.machine(number)
        machine.plug_in()
        # The leases of its workers have the port in them, so that it is like the head's here as in life.
        one = WorkerHost(machine, self.directory / machine.name, port=self.head.port, **self.shared)
        self.leaving.callback(one.kill_all)
        return one

    def make_room(self, number: int) -> None:
        """For so many machines that are rented."""
        (self.directory / "room").write_text(str(number))

    def hosts(self) -> list[dict[str, Any]]:
        """The rows of hosts, oldest first."""
        return self.ask(HOSTS)

    def ask(self, question: LiteralString) -> list[dict[str, Any]]:
        """Rows of the installation's database."""
        with psycopg.connect(self.shared["DATABASE_URL"], row_factory=dict_row) as connection:
            return connection.execute(question).fetchall()

    def is_rented(self, name: str) -> bool:
        return any(row["name"] == name and row["reference"] for row in self.hosts())

    def wait_for_host(self, name: str, state: str, *, timeout: float = 120) -> dict[str, Any]:
        """The newest row of that name, once it is in that state."""

        def last() -> dict[str, Any] | None:
            rows = [row for row in self.hosts() if row["name"] == name]
            return rows[-1] if rows and rows[-1]["state"] == state else None

        return wait_until(last, timeout=timeout, what=f"{name} to be {state}")


@contextmanager
def serving_cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        net = stack.enter_context(lan())
        directory = Path(f"/tmp/picloud-lan-{os.getpid()}-{secrets.token_hex(2)}")
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.mkdir(mode=0o755)
        redis_url = stack.enter_context(servers.valkey_on(net.here, directory / "redis"))
        stack.enter_context(servers.postgres(directory / "pg", database="picloud", address=net.here))
        bucket = stack.enter_context(servers.s3(directory / "s3", address=net.here))
        port = servers.free_port()
        shared = {
            "DATABASE_URL": f"postgresql://picloud@{net.here}/picloud",
            "REDIS_URL": redis_url,
            "PICLOUD_S3_BUCKET": bucket.bucket,
            "PICLOUD_S3_ENDPOINT_URL": bucket.endpoint_url,
            "PICLOUD_S3_ACCESS_KEY": bucket.access_key,
            "PICLOUD_S3_SECRET_KEY": bucket.secret_key,
            "SECRET_KEY": secrets.token_hex(20),
            "PICLOUD_URL_PUBLIC": f"http://{net.here}:{port}",
            "PICLOUD_LEASE_SECONDS": "4",
            "PICLOUD_HOST_LOST_SECONDS": "20",
            "PICLOUD_DRAIN_SECONDS": "20",
        }
        of_head = {
            "HOST": "0.0.0.0",
            "ALLOWED_HOSTS": f"{net.here},127.0.0.1",
            "PICLOUD_WORKERS": "0",
            "PICLOUD_PROVIDER": "tests.lan_provider.LanProvider",
            "TEST_LAN": str(net.tag),
            "TEST_LAN_DIRECTORY": str(directory),
        }
        head = stack.enter_context(stack_at_rest(PORT=str(port), **shared, **of_head))
        (directory / "room").write_text("0")
        head.port, head.url = port, f"http://127.0.0.1:{port}"
        leaving = stack.enter_context(ExitStack())
        head.launch()
        wait_until(lambda: head.get("/healthz")[0], timeout=120, what=f"the web host: {head.log}")
        yield Cluster(net, head, directory, shared, leaving)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with serving_cluster() as one:
        yield one
        # What a failed test has left running would outlive it.
        end(one, *(row["reference"] for row in one.hosts() if row["reference"]))


@pytest.fixture(scope="module")
def account(cluster: Cluster) -> Account:
    return cluster.head.account("alice")


INSIDE = """
import cloud, os

def inner(n):
    return n + 1

def outer():
    import cloud
    cloud.files.putf(b"from inside", "note")
    return cloud.result(cloud.call(inner, 41), timeout=60), os.urandom(1_500_000)

answer, large = cloud.result(cloud.call(outer), timeout=120)
print(answer, len(large), cloud.files.getf("note").read())
"""


UNTIL_ENOUGH = """
import cloud, time

def work():
    import cloud, time
    while not cloud.files.exists("enough"):
        time.sleep(0.05)
    return "finished"

jids = [cloud.call(work) for _ in range(3)]
while cloud.status(jids[:2]) != ["processing"] * 2:
    time.sleep(0.05)
print("runs", flush=True)
input()
cloud.files.putf(b"", "enough")
attempts = [row["attempt"] for row in cloud.info(jids[:2], "attempt").values()]
print(cloud.result(jids[:2], timeout=60), attempts, cloud.status(jids[2]))
cloud.kill(jids)
"""


def test_machine_joins_serves_and_finishes_what_it_runs_when_it_is_told_to_stop(
    cluster: Cluster, account: Account, tmp_path: Path
) -> None:
    host = cluster.host(11)
    host.join("--slots", "2", "--name", "eleven")
    host.wait_for("eleven works for")
    wait_until(lambda: cluster.wait_for_host("eleven", "ready")["slots"] == 2, timeout=60, what="both slots")
    row = cluster.hosts()[-1]
    assert (row["provider"], row["core_types"], row["problem"]) == ("local", "c1,c2,f2,m1,s1", "")
    assert "container; jobs reach the internet" in cluster.head.health()[1]["sandbox"]["detail"]
    assert account.run(INSIDE, cwd=tmp_path, timeout=120) == "42 1500000 b'from inside'\n"

    client = account.start(UNTIL_ENOUGH, cwd=tmp_path)
    assert client.stdout is not None
    assert client.stdout.readline() == "runs\n"
    host.tell_to_stop()
    host.wait_for("Stopping, at most 20 s for running jobs")
    assert client.stdin is not None
    client.stdin.write("\n")
    client.stdin.flush()
    assert finish(client, timeout=100) == "['finished', 'finished'] [1, 1] queued\n"
    host.wait_until_gone()


LONG_AT_FIRST = """
import cloud, time

def long_at_first():
    import cloud, time
    if cloud.files.exists("{mark}"):
        return "again"
    cloud.files.putf(b"", "{mark}")
    time.sleep(600)

jid = cloud.call(long_at_first)
while not cloud.files.exists("{mark}"):
    time.sleep(0.05)
print("runs", flush=True)
print(cloud.result(jid, timeout=120))
events = cloud.info(jid, "events")[jid]["events"]
print([event["name"] for event in events], [event["worker"].partition(":")[0] for event in events if event["worker"]])
"""


def start_long(account: Account, cwd: Path) -> "Popen[str]":
    """A client whose job runs by now; where it is run a second time it ends at once."""
    client = account.start(LONG_AT_FIRST.replace("{mark}", secrets.token_hex(4)), cwd=cwd)
    assert client.stdout is not None
    assert client.stdout.readline() == "runs\n"
    return client


def test_machine_that_was_cut_off_comes_back_and_its_job_runs_again(
    cluster: Cluster, account: Account, tmp_path: Path
) -> None:
    host = cluster.host(21)
    host.join("--slots", "1", "--name", "island")
    cluster.wait_for_host("island", "ready")
    client = start_long(account, tmp_path)
    host.machine.cut_off()
    status = "SELECT count(*) AS queued FROM jobs_job WHERE status = 'queued'"
    wait_until(lambda: cluster.ask(status)[0]["queued"], timeout=60, what="the job to be taken back")
    host.machine.mend()
    said = finish(client, timeout=90)
    assert said.splitlines()[0] == "again"
    assert "'job.restarted'" in said
    host.tell_to_stop()
    host.wait_until_gone()


def drain(cluster: Cluster, name: str) -> None:
    found = f"Host.objects.get(name='{name}')"
    script = f"from realtime.models import Host; from realtime.services import hosts; hosts.drain(host={found})"
    cluster.head.manage("shell", "-c", script)


def end(cluster: Cluster, *references: str) -> None:
    script = f"from realtime.providers import current_provider; current_provider().terminate({list(references)!r})"
    cluster.head.manage("shell", "-c", script)


def test_machine_is_rented_is_cut_off_is_replaced_and_is_given_back(
    cluster: Cluster, account: Account, tmp_path: Path
) -> None:
    """Nobody asks for it: there is work, and no machine."""
    cluster.make_room(1)
    client = start_long(account, tmp_path)
    machine = next(one for one in cluster.lan.machines() if cluster.is_rented(one.name))
    cluster.wait_for_host(machine.name, "ready")
    machine.cut_off()
    row = cluster.wait_for_host(machine.name, "gone", timeout=120)
    assert row["problem"] == "Its workers have not reported for 20.0 s."
    said = finish(client, timeout=120)
    assert said.splitlines()[0] == "again"
    assert not machine.path.exists()
    second = cluster.wait_for_host(cluster.hosts()[-1]["name"], "ready")
    assert second["provider"] == "lan"
    assert f"'{machine.name}', '{second['name']}'" in said
    cluster.make_room(0)
    drain(cluster, second["name"])
    assert cluster.wait_for_host(second["name"], "gone")["problem"] == ""
    path = cluster.lan.machine(int(second["name"].rpartition("-")[2])).path
    wait_until(lambda: not path.exists(), timeout=60, what="its end")
