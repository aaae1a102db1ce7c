"""Machines on a network of their own, on this one: a bridge, and namespaces with an address each."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


class Machine:
    """A namespace with an address on the bridge."""

    def __init__(self, lan: "Lan", number: int) -> None:
        self.number = number
        self.address = f"{lan.network}.{number}"
        self.name = f"{lan.prefix}-{number}"
        self._link = f"{lan.bridge}v{number}"
        self._bridge, self._gateway = lan.bridge, lan.here

    @property
    def path(self) -> Path:
        return Path("/run/netns") / self.name

    @property
    def enter(self) -> list[str]:
        """What to put before a command, so that it runs there. Unlike `ip netns exec` it leaves /sys in its place."""
        return ["nsenter", f"--net={self.path}"]

    def plug_in(self) -> None:
        ip("netns", "add", self.name)
        ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self._link, "master", self._bridge, "up")
        for words in (f"address add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            ip("-n", self.name, *words.split())
        ip("-n", self.name, "route", "add", "default", "via", self._gateway)

    def cut_off(self) -> None:
        """Nothing goes in or out any more, and nobody is told."""
        ip("link", "set", self._link, "down")

    def mend(self) -> None:
        ip("link", "set", self._link, "up")

    def remove(self) -> None:
        ip("netns", "delete", self.name, check=False)
        ip("link", "delete", self._link, check=False)


class Lan:
    """The bridge; this machine has the first address on it. Two with different tags (0 to 99) stand side by side."""

    def __init__(self, tag: int) -> None:
        self.network = f"10.213.{100 + tag}"
        self.here = f"{self.network}.1"
        self.prefix = f"pclan{tag}"
        self.bridge = f"pclb{tag}"
        self.tag = tag

    def machine(self, number: int) -> Machine:
        return Machine(self, number)

    def machines(self) -> list[Machine]:
        """Those that are there now."""
        found = Path("/run/netns").glob(f"{self.prefix}-*")
        return [self.machine(int(path.name.rpartition("-")[2])) for path in found]

    def build(self) -> None:
        ip("link", "add", self.bridge, "type", "bridge")
        ip("address", "add", f"{self.here}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def remove(self) -> None:
        for machine in self.machines():
            machine.remove()
        ip("link", "delete", self.bridge, check=False)


@contextmanager
def lan() -> Iterator[Lan]:
    one = Lan(os.getpid() % 100)
    try:
        one.build()
        yield one
    finally:
        one.remove()
