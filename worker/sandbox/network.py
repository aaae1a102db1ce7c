"""A network of its own for each slot: out to the internet, but not to this host, other sandboxes or private networks.

A namespace prepared beforehand costs a container's start nothing, where a bridge of the engine costs 0.4 s.
Each slot has a veth pair with a /30, one nftables table, and a resolv.conf with resolvers it may reach.
"""

import atexit
import contextlib
import fcntl
import hashlib
import ipaddress
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from environments.engine import NoEngine, is_podman

logger = logging.getLogger(__name__)

LINK_PREFIX = "pcl"
NAMESPACES = Path("/run/netns")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# systemd-resolved's own stub listens on loopback, out of a sandbox's sight; these are the servers behind it.
RESOLV_CONFS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
# Never the internet, whatever the settings say: this host, links, cloud metadata, multicast, reserved.
NEVER = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")


class NetworkFailed(Exception):
    """The namespace of a slot could not be made; the message holds the tool's own words."""


def why_no_network() -> str:
    """Why sandboxes of this worker have no network; empty when they have one."""
    if os.geteuid() != 0:
        return "the worker does not run as root, which filtering needs"
    missing = [tool for tool in ("ip", "nft") if not shutil.which(tool)]
    if missing:
        return f"{' and '.join(missing)} not found (on Debian and Ubuntu: apt install iproute2 nftables)"
    try:
        return "" if is_podman() else "only Podman can join a namespace that is filtered"
    except NoEngine:
        return "no container engine answers"


class SlotNetwork:
    """The namespace of one slot of this stack."""

    def __init__(self, *, home: str | Path, slot: int) -> None:
        tag = hashlib.sha256(str(home).encode()).hexdigest()[:7]
        number = hashlib.sha256(f"{home} {slot}".encode()).digest()
        self.slot = slot
        self.name = f"picloud-{tag}-{slot}"
        self.link = f"{LINK_PREFIX}{tag}{slot & 0xFFFF:x}"  # at most 15 characters
        self._table = f"picloud_{tag}_{slot & 0xFFFF}"
        self.servers: list[str] = []
        self._first_choice = int.from_bytes(number[:4], "big")

    @property
    def path(self) -> Path:
        return NAMESPACES / self.name

    def create(self) -> None:
        """Make it anew, whatever an earlier worker left; costs some 50 ms."""
        with _one_at_a_time():
            self.remove()
            network = self._free_network()
            self.servers = resolvers()
            host, inside = (f"{address}/{network.prefixlen}" for address in network.hosts())
            # The filter stands before there is anything to filter.
            _run("nft", "-f", "-", text=self._rules(network))
            self._make_links(host=host, inside=inside)
        if FORWARDING.read_text().strip() == "0":
            FORWARDING.write_text("1\n")
            logger.warning("net.ipv4.ip_forward is switched on, so that sandboxes reach the internet")

    def _make_links(self, *, host: str, inside: str) -> None:
        name, link = self.name, self.link
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        for conf in ("all", "default"):
            _run("ip", "netns", "exec", name, "tee", f"/proc/sys/net/ipv6/conf/{conf}/disable_ipv6", text="1\n")
        Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6").write_text("1\n")
        _run("ip", "address", "add", host, "dev", link)
        _run("ip", "link", "set", link, "up")
        gateway = host.partition("/")[0]
        steps = f"address add {inside} dev eth0\nlink set lo up\nlink set eth0 up\nroute add default via {gateway}\n"
        _run("ip", "-n", name, "-batch", "-", text=steps)

    def _free_network(self) -> ipaddress.IPv4Network:
        """A /30 that no interface of this host has, the same one each time when possible."""
        whole = ipaddress.IPv4Network(settings.SANDBOX_NETWORK)
        taken = _networks_here()
        count = whole.num_addresses // 4
        for step in range(count):
            start = int(whole.network_address) + (self._first_choice + step) % count * 4
            network = ipaddress.IPv4Network((start, 30))
            if not any(network.overlaps(other) for other in taken):
                return network
        raise NetworkFailed(f"no addresses are left in {whole}")

    def _rules(self, network: ipaddress.IPv4Network) -> str:
        # Refused, not dropped: a job is told at once instead of waiting for an answer that never comes.
        blocked = ", ".join(blocked_networks())
        servers = ", ".join(self.servers)
        dns = f"ip daddr {{ {servers} }} meta l4proto {{ tcp, udp }} th dport 53 accept" if servers else ""
        return f"""
            table inet {self._table}
            delete table inet {self._table}
            table inet {self._table} {{
                chain refuse {{
                    meta l4proto tcp reject with tcp reset
                    reject with icmpx admin-prohibited
                }}
                chain to_host {{
                    type filter hook input priority -10; policy accept;
                    iifname "{self.link}" goto refuse
                }}
                chain through {{
                    type filter hook forward priority -10; policy accept;
                    iifname "{self.link}" jump outbound
                    oifname "{self.link}" ct state established,related accept
                    oifname "{self.link}" goto refuse
                }}
                chain outbound {{
                    ip saddr != {network} drop
                    tcp flags syn tcp option maxseg size set rt mtu
                    oifname "{LINK_PREFIX}*" goto refuse
                    {dns}
                    ip daddr {{ {blocked} }} goto refuse
                    meta nfproto ipv6 drop
                }}
                chain behind_host {{
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr {network} oifname != "{LINK_PREFIX}*" masquerade
                }}
            }}
        """

    def remove(self) -> None:
        if self.path.exists():
            _run("ip", "netns", "delete", self.name)
        # The pair of links goes with the namespace, but later, and not while a process lives in it.
        with contextlib.suppress(NetworkFailed):
            _run("ip", "link", "delete", self.link)
        _run("nft", "-f", "-", text=f"table inet {self._table}\ndelete table inet {self._table}\n")

    def exists(self) -> bool:
        return self.path.exists()


def networks_of(home: str | Path) -> list[SlotNetwork]:
    """The namespaces of a stack that are there now, of whichever slot."""
    prefix = SlotNetwork(home=home, slot=0).name.removesuffix("0")
    found = [path.name.removeprefix(prefix) for path in NAMESPACES.glob(f"{prefix}*")]
    return [SlotNetwork(home=home, slot=int(slot)) for slot in found]


def blocked_networks() -> list[str]:
    wanted = [*NEVER, settings.SANDBOX_NETWORK, *settings.SANDBOX_BLOCKED_NETWORKS]
    networks = [ipaddress.ip_network(text) for text in wanted]
    # IPv6 is dropped as a whole, so ranges of it need no rule.
    return [str(network) for network in _collapse(networks)]


def _collapse(networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> list[ipaddress.IPv4Network]:
    return list(ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network)))


def resolvers() -> list[str]:
    """The IPv4 name servers of this host that a sandbox can be allowed to ask."""
    for path in RESOLV_CONFS:
        if path.exists():
            words = [line.split() for line in path.read_text().splitlines()]
            found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
            usable = [text for text in found if _is_usable(text)]
            if usable:
                return usable
    return []


def _is_usable(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return address.version == 4 and not address.is_loopback


def resolv_conf() -> str:
    return "".join(f"nameserver {server}\n" for server in resolvers()) + "options edns0\n"


def _networks_here() -> list[ipaddress.IPv4Network]:
    interfaces = json.loads(_run("ip", "-json", "-4", "address"))
    return [
        ipaddress.IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False)
        for interface in interfaces
        for address in interface.get("addr_info", [])
    ]


def _run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkFailed(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


class _one_at_a_time:  # noqa: N801 - used as a function
    """Addresses are chosen by one worker of this machine after the other, of whichever stack."""

    def __enter__(self) -> None:
        path = Path(tempfile.gettempdir()) / "picloud-network.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


_made: dict[tuple[str, int], SlotNetwork] = {}


def slot_network(slot: int) -> SlotNetwork | None:
    """The slot's namespace, made when it is not there and removed when this process ends; None without network."""
    if why_no_network():
        return None
    home = str(settings.PICLOUD_HOME)
    network = _made.get((home, slot))
    # A laptop changes its name servers when it changes its network.
    if network is None or not network.exists() or network.servers != resolvers():
        network = SlotNetwork(home=home, slot=slot)
        network.create()
        if not _made:
            atexit.register(_remove_made, os.getpid())
        _made[home, slot] = network
    return network


def _remove_made(owner: int) -> None:
    # Forked children of the worker end without having made anything.
    if os.getpid() == owner:
        for network in _made.values():
            network.remove()
        _made.clear()
