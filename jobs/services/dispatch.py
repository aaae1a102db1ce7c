"""Tickets: the wake-up that says an account has runnable work of a core type and number of cores.

A ticket is an RQ job that carries ids only, so that losing or doubling one is harmless. A worker that
has just finished work of the same kind waits a moment for more (a *shift*); work is then handed to it
through a list in Redis, which saves RQ's book-keeping.

An account that has workers dedicated to it gets a second ticket, in a queue that these alone listen to. Whichever
worker comes first takes the work.
"""

import json
import logging
import secrets
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

import redis
from django.conf import settings
from django.db.models import Count
from redis.commands.core import Script
from rq import Queue
from rq.serializers import JSONSerializer

from common.exceptions import Refused
from jobs.models import Dedication, Job
from jobs.services import bus
from jobs.states import Status

logger = logging.getLogger(__name__)

ENTRY_POINT = "worker.tickets.open_shift"

# KEYS: waiting workers (sorted set by the end of their wait), their list, the set of tickets in standard queues, the
# account's channel, the mark that somebody watches it, the groups that have dedicated workers, and the set of tickets
# in their queues. ARGV: the kind of work, what to tell the channel, the group of this work.
# Answers 0: handed over, or the tickets exist. Else the caller must enqueue, 1: a standard ticket, 2: one in the
# queue of the group, 3: both.
_ANNOUNCE = """
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[5]) == 1 then redis.call('PUBLISH', KEYS[4], ARGV[2]) end
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local waiting = redis.call('ZRANGEBYSCORE', KEYS[1], ms, '+inf', 'LIMIT', 0, 1)
if waiting[1] then
  redis.call('ZREM', KEYS[1], waiting[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], 5000)
  return 0
end
local wanted = redis.call('SADD', KEYS[3], ARGV[1])
if redis.call('SISMEMBER', KEYS[6], ARGV[3]) == 1 then
  wanted = wanted + 2 * redis.call('SADD', KEYS[7], ARGV[1])
end
return wanted
"""
# Sets of the tickets that stand in queues, of which there are two kinds.
STANDARD_TICKETS = "picloud:tickets"
RESERVED_TICKETS = "picloud:tickets:reserved"
# The groups that have a queue of their own; the clock keeps it as the database says.
GROUPS = "picloud:groups"


class Group(NamedTuple):
    """Whose work, on which core type: what a worker can be dedicated to."""

    account_id: int
    core_type: str

    def __str__(self) -> str:
        return f"{self.account_id}-{self.core_type}"

    @classmethod
    def parse(cls, text: str) -> "Group":
        account_id, core_type = text.split("-")
        return cls(int(account_id), core_type)


class WorkKind(NamedTuple):
    """Whose work, on which core type, on how many cores: what one ticket stands for."""

    account_id: int
    core_type: str
    cores: int

    def __str__(self) -> str:
        return f"{self.account_id}-{self.core_type}-{self.cores}"

    @classmethod
    def parse(cls, text: str) -> "WorkKind":
        """The kind written in `str(kind)`, or at the start of the id of a ticket."""
        account_id, core_type, cores = text.split("-")[:3]
        return cls(int(account_id), core_type, int(cores))

    @property
    def group(self) -> Group:
        return Group(self.account_id, self.core_type)

    @property
    def waiters_key(self) -> str:
        return f"picloud:waiters:{self}"

    @property
    def handover_key(self) -> str:
        return f"picloud:handover:{self}"


def queue_name(core_type: str) -> str:
    return f"standard-{core_type}"


def reserved_queue_name(group: Group) -> str:
    """The queue that only the workers dedicated to this group listen to."""
    return f"reserved-{group}"


@lru_cache(maxsize=1024)
def _queue(name: str) -> Queue:
    """Kept, because django-rq would connect to Redis anew for each ticket."""
    return Queue(name, connection=bus.connection(), serializer=JSONSerializer)


def queue_of(core_type: str) -> Queue:
    """The queue of a core type."""
    return _queue(queue_name(core_type))


def announce_work(kind: WorkKind, *, batch_id: int | None = None) -> None:
    """Wake a worker for this kind of work: hand it to one that waits, else enqueue a ticket if there is none.

    `batch_id` is a new batch, of which those who watch the account are told in the same round trip.
    """
    try:
        account_id = kind.account_id
        channel, mark = bus.account_channel(account_id), bus.watched_key(account_id)
        keys = [
            kind.waiters_key, kind.handover_key, STANDARD_TICKETS, channel, mark, GROUPS, RESERVED_TICKETS,
        ]  # fmt: skip
        news = json.dumps({"batches": [batch_id]}) if batch_id else ""
        wanted = int(_announce_script()(keys=keys, args=[str(kind), news, str(kind.group)]))
        if wanted & 2:
            _enqueue(kind, _queue(reserved_queue_name(kind.group)))
        if wanted & 1:
            enqueue_ticket(kind)
    except redis.RedisError as error:
        # The job is safe in the database; the clock issues the ticket when Redis is back.
        logger.warning("no ticket for %s: %s", kind, error)


@cache
def _announce_script() -> Script:
    return bus.connection().register_script(_ANNOUNCE)


def enqueue_ticket(kind: WorkKind) -> None:
    """Put a ticket in the standard queue. Raises Refused for a core type that has none."""
    if kind.core_type not in settings.CORE_TYPE_QUEUES:
        raise Refused(
            "no_queue",
            f"Core type {kind.core_type} has no queue: name it in PICLOUD_CORE_TYPES and start the stack again.",
        )
    _enqueue(kind, queue_of(kind.core_type))


def _enqueue(kind: WorkKind, queue: Queue) -> None:
    queue.enqueue_call(
        ENTRY_POINT,
        args=tuple(kind),
        job_id=f"{kind}-{secrets.token_hex(4)}",
        result_ttl=0,
        failure_ttl=60,
        timeout=-1,
        description=f"work of account {kind.account_id} on {kind.core_type} x {kind.cores}",
    )


def reissue_tickets() -> list[WorkKind]:
    """Give a ticket to every kind of queued work that has none, whatever became of it. For the clock.

    Work of an account with dedicated workers has one for them and one for all others.
    """
    store, groups = bus.connection(), dedicated_groups()
    _open_queues(store, groups)
    backlog = {
        WorkKind(*row)
        for row in Job.objects.filter(status=Status.QUEUED)
        .values_list("account_id", "core_type_id", "cores")
        .annotate(Count("id"))
        .values_list("account_id", "core_type_id", "cores")
        .order_by()
    }
    standard = {queue_name(core_type) for core_type in settings.CORE_TYPE_QUEUES}
    reserved = {reserved_queue_name(group) for group in groups}
    lost = backlog - _ticketed(store, STANDARD_TICKETS, standard)
    lost |= {kind for kind in backlog if kind.group in groups} - _ticketed(store, RESERVED_TICKETS, reserved)
    announce_each(lost)
    return sorted(lost)


def announce_each(kinds: Iterable[WorkKind]) -> None:
    """Wake a worker for each of these; one that has no queue is for the operator to see to, and holds up no other."""
    for kind in sorted(kinds):
        try:
            announce_work(kind)
        except Refused as refusal:
            logger.error("no ticket for %s: %s", kind, refusal)


def _ticketed(store: "redis.Redis", marks: str, queues: Iterable[str]) -> set[WorkKind]:
    """The kinds of work with a ticket in these queues; marks of tickets that are gone are taken away."""
    waiting = {WorkKind.parse(ticket_id) for name in queues for ticket_id in _queue(name).job_ids}
    stale = [text for text in map(bus.text, store.smembers(marks)) if WorkKind.parse(text) not in waiting]
    if stale:
        store.srem(marks, *stale)
    return waiting


def dedicated_groups() -> set[Group]:
    """The groups that a worker is dedicated to."""
    rows = Dedication.objects.order_by().values_list("account_id", "core_type_id").distinct()
    return {Group(*row) for row in rows}


def _open_queues(store: "redis.Redis", groups: set[Group]) -> None:
    """Let work of these groups have a ticket of its own from now on, and that of no other group."""
    known = {Group.parse(bus.text(member)) for member in store.smembers(GROUPS)}
    if groups - known:
        store.sadd(GROUPS, *map(str, groups - known))
    for group in known - groups:
        store.srem(GROUPS, str(group))
        # Its tickets are doubles of those in the standard queue.
        _queue(reserved_queue_name(group)).delete(delete_jobs=True)


def forget_ticket(kind: WorkKind, *, reserved: bool = False) -> None:
    """Called by a worker that takes a ticket, before it claims: later work gets a ticket of its own."""
    bus.connection().srem(RESERVED_TICKETS if reserved else STANDARD_TICKETS, str(kind))
