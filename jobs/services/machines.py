"""What is agreed with worker hosts through Redis: who bears which name, and who takes no more work.

All of it can be lost: names are claimed again by each worker's next report, orders given again by the clock.
"""

import secrets
from pathlib import Path

import redis
from django.conf import settings
from django.core import signing

from common.exceptions import Conflict
from jobs.services import bus

NAME_SECONDS = 30
ORDER_SECONDS = 600
_MARK_SECONDS = 60
_MARK_KEY = "picloud:installation"
_SALT = "jobs.installation"

# KEYS: the name. ARGV: the machine that wants it, for how many ms. Answers whether the name is its own now.
_CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


def claim_name(*, host: str, machine: str) -> bool:
    """Bear this name for half a minute from now; False while another machine does. Raises RedisError."""
    return bool(bus.connection().eval(_CLAIM, 1, f"picloud:machine:{host}", machine, NAME_SECONDS * 1000))


class NameTaken(Conflict):
    """Another machine of the installation bears this machine's name."""

    def __init__(self) -> None:
        super().__init__(
            "name_taken",
            f"Another machine of this installation is called {settings.HOST_NAME}, or was half a minute ago: "
            "choose another name by PICLOUD_HOST_NAME.",
        )


def claim_own_name() -> None:
    """Bear settings.HOST_NAME for half a minute from now. Raises NameTaken, and RedisError."""
    if not claim_name(host=settings.HOST_NAME, machine=machine_id()):
        raise NameTaken


def machine_id() -> str:
    """What tells this PICLOUD_HOME from every other, on whichever machine; made at the first start."""
    path = Path(settings.PICLOUD_HOME) / "machine_id"
    if not path.exists():
        draft = path.with_name(f"machine_id-{secrets.token_hex(4)}")
        draft.write_text(secrets.token_hex(16))
        try:
            # Of several workers that begin at once, all take the first one's.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def _order_key(host: str) -> str:
    return f"picloud:drain:{host}"


def order_drain(*, host: str, order: str) -> None:
    """Tell the workers of a host to take nothing new. Each repeats the order in its report once it runs nothing."""
    bus.connection().set(_order_key(host), order, ex=ORDER_SECONDS)


def call_off_drain(*, host: str) -> None:
    """Let the workers of a host take work again."""
    bus.connection().delete(_order_key(host))


def drain_order(*, host: str) -> str:
    """The order under which this host's workers are; empty when they may take work, or Redis does not answer."""
    try:
        return bus.text(bus.connection().get(_order_key(host)) or "")
    except redis.RedisError:
        return ""


def leave_mark() -> None:
    """Let machines that join see that they have the same secret key. For the clock."""
    bus.connection().set(_MARK_KEY, signing.dumps("here", salt=_SALT), ex=_MARK_SECONDS)


def reads_mark() -> bool | None:
    """Whether this machine has the key of the installation behind this Redis; None while no clock has told."""
    mark = bus.connection().get(_MARK_KEY)
    if mark is None:
        return None
    try:
        signing.loads(bus.text(mark), salt=_SALT)
    except signing.BadSignature:
        return False
    return True
