"""What a sandbox reaches over the network: the internet, and nothing nearer.

A namespace stands for the internet and one for the local network; each holds a server that says its name.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings

from tests.waiting import wait_until
from tests.worker.conftest import Bench, Pool, Seen, make_sandbox
from worker.sandbox import network_mode, remove_leftovers
from worker.sandbox.network import SlotNetwork, blocked_networks, networks_of, resolvers, why_no_network

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("ip"), reason="filtering needs root, ip and nft"
)

PORT = 4711
SERVER = f"""
import socket, threading
server = socket.create_server(("", {PORT}))
while True:
    server.accept()[0].sendall(b"hello")
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def place(tag: str, *, network: str, extra: str = "") -> Iterator[str]:
    """A namespace behind this host with a server in it; its address ends in .2, this host's in .1."""
    name, link = f"pctest-{tag}-{os.getpid()}", f"pt{tag}{os.getpid()}"
    with ExitStack() as stack:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "delete", name)
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("address", "add", f"{network}.1/29", "dev", link)
        ip("link", "set", link, "up")
        for words in (
            f"address add {network}.2/29 dev eth0",
            "link set eth0 up",
            "link set lo up",
            f"route add default via {network}.1",
            *([f"address add {extra}/32 dev lo"] if extra else []),
        ):
            ip("-n", name, *words.split())
        if extra:
            ip("route", "add", extra, "via", f"{network}.2")
        server = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", SERVER])
        stack.callback(server.wait)
        stack.callback(server.kill)
        wait_until(lambda: reaches(f"{network}.2") == "hello", what="the server to listen")
        yield f"{network}.2"


def reaches(address: str, port: int = PORT) -> str:
    import socket

    try:
        with socket.create_connection((address, port), timeout=0.5) as connection:
            return connection.recv(100).decode()
    except OSError as error:
        return type(error).__name__


def answers_in(bench: Bench, *addresses: str, port: int = PORT) -> list[str]:
    """What a job gets to hear at each address."""

    def look(address: str) -> str:
        import socket

        try:
            with socket.create_connection((address, port), timeout=0.5) as connection:
                return connection.recv(100).decode()
        except TimeoutError:
            return "no answer"
        except OSError:
            return "refused"

    def look_at_all() -> list[str]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(len(addresses)) as pool:
            return list(pool.map(look, addresses))

    found: list[str] = bench.run(look_at_all).value()
    return found


@pytest.fixture(scope="module")
def internet() -> Iterator[str]:
    # One of the ranges for documentation, which no setting blocks.
    with place("i", network="198.51.100") as address:
        yield address


@pytest.fixture(scope="module")
def lan() -> Iterator[str]:
    with place("l", network="10.213.77", extra="169.254.169.254") as address:
        yield address


@pytest.fixture
def host_server() -> Iterator[int]:
    server = socket.create_server(("0.0.0.0", 0))
    yield server.getsockname()[1]
    server.close()


def test_internet_is_reached(container: Bench, internet: str) -> None:
    assert network_mode().startswith("the internet")
    assert answers_in(container, internet) == ["hello"]


def test_private_networks_are_not(container: Bench, lan: str) -> None:
    assert reaches(lan) == "hello"
    assert answers_in(container, lan) == ["refused"]


def test_cloud_metadata_is_not(container: Bench, lan: str) -> None:
    assert reaches("169.254.169.254") == "hello"
    assert answers_in(container, "169.254.169.254") == ["refused"]


def test_this_host_is_not_on_any_of_its_addresses(container: Bench, internet: str, host_server: int) -> None:
    gateway = f"{internet.rpartition('.')[0]}.1"
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    ours = [address for address in addresses if ":" not in address]
    assert gateway in ours
    answers = answers_in(container, *ours, "127.0.0.1", port=host_server)
    assert set(answers) == {"refused"}


def test_other_sandboxes_are_not(container: Bench, pool: Pool) -> None:
    def listen(port: int) -> None:
        import socket
        import time

        server = socket.create_server(("", port))
        print("listens")
        server.accept()[0].sendall(b"hello")
        time.sleep(60)

    with make_sandbox("container", pool.image, slot=1, account_id=2) as other:
        bench = Bench(other)
        bench.start(listen, (PORT,))
        bench.collect(Seen(), lambda seen: bool(seen.output))
        network = other._network  # type: ignore[attr-defined]
        command = ["ip", "-n", network.name, "-4", "-br", "address", "show", "eth0"]
        shown = subprocess.run(command, capture_output=True, check=True)
        address = shown.stdout.decode().split()[2].partition("/")[0]
        assert answers_in(container, address) == ["refused"]


def test_ipv6_leads_nowhere(container: Bench) -> None:
    def look() -> list[str]:
        from pathlib import Path

        return Path("/proc/net/if_inet6").read_text().splitlines()

    assert container.run(look).value() == []


def test_names_are_asked_of_the_hosts_resolvers(container: Bench) -> None:
    def look() -> str:
        from pathlib import Path

        return Path("/etc/resolv.conf").read_text()

    lines = container.run(look).value().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("nameserver")] == resolvers()


def test_two_stacks_and_two_slots_have_addresses_and_names_of_their_own() -> None:
    networks = [SlotNetwork(home=home, slot=slot) for home in ("/one", "/two") for slot in (0, 1)]
    try:
        for network in networks:
            network.create()
        rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
        sources = {line.split()[3] for line in rules.splitlines() if "ip saddr != " in line}
        assert len({network.link for network in networks}) == 4
        assert len(sources) >= 4
    finally:
        for network in networks:
            network.remove()
    assert networks_of("/one") + networks_of("/two") == []


def test_leftovers_of_a_dead_worker_are_removed(engine_socket: object) -> None:
    network = SlotNetwork(home=str(settings.PICLOUD_HOME), slot=77)
    network.create()
    remove_leftovers(settings.PICLOUD_HOME, slot=77)
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    assert (network.exists(), network.link in rules) == (False, False)


def test_ranges_that_are_never_the_internet_are_blocked_whatever_the_settings(settings: object) -> None:
    settings.SANDBOX_BLOCKED_NETWORKS = ["10.0.0.0/8", "fd00::/8"]  # type: ignore[attr-defined]
    blocked = blocked_networks()
    assert {"127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "198.18.0.0/15"} <= set(blocked)
    assert why_no_network() == ""
