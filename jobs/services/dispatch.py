"""Tickets: the wake-up that says an account has runnable work of a core type and number of cores.

A ticket is an RQ job that carries ids only, so that losing or doubling one is harmless. A worker that
has just finished work of the same kind waits a moment for more (a *shift*); work is then handed to it
through a list in Redis, which saves RQ's book-keeping.
"""

import json
import logging
import secrets
from functools import cache
from typing import NamedTuple

import redis
from django.conf import settings
from django.db.models import Count
from redis.commands.core import Script
from rq import Queue
from rq.serializers import JSONSerializer

from common.exceptions import Refused
from jobs.models import Job
from jobs.services import bus
from jobs.states import Status

logger = logging.getLogger(__name__)

ENTRY_POINT = "worker.tickets.open_shift"

# KEYS: waiting workers (sorted set by the end of their wait), their list, the set of tickets in queues, the
# account's channel, and the mark that somebody watches it. ARGV: the kind of work, what to tell the channel.
# Answers 1: handed over or ticket exists, 0: the caller must enqueue a ticket.
_ANNOUNCE = """
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[5]) == 1 then redis.call('PUBLISH', KEYS[4], ARGV[2]) end
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local waiting = redis.call('ZRANGEBYSCORE', KEYS[1], ms, '+inf', 'LIMIT', 0, 1)
if waiting[1] then
  redis.call('ZREM', KEYS[1], waiting[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], 5000)
  return 1
end
return 1 - redis.call('SADD', KEYS[3], ARGV[1])
"""
TICKETS = "picloud:tickets"


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
    def waiters_key(self) -> str:
        return f"picloud:waiters:{self}"

    @property
    def handover_key(self) -> str:
        return f"picloud:handover:{self}"


def queue_name(core_type: str) -> str:
    return f"standard-{core_type}"


@cache
def queue_of(core_type: str) -> Queue:
    """The queue of a core type. Kept, because django-rq would connect to Redis anew for each ticket."""
    return Queue(queue_name(core_type), connection=bus.connection(), serializer=JSONSerializer)


def announce_work(kind: WorkKind, *, batch_id: int | None = None) -> None:
    """Wake a worker for this kind of work: hand it to one that waits, else enqueue a ticket if there is none.

    `batch_id` is a new batch, of which those who watch the account are told in the same round trip.
    """
    try:
        account_id = kind.account_id
        channel, mark = bus.account_channel(account_id), bus.watched_key(account_id)
        keys = [kind.waiters_key, kind.handover_key, TICKETS, channel, mark]
        news = json.dumps({"batches": [batch_id]}) if batch_id else ""
        if not _announce_script()(keys=keys, args=[str(kind), news]):
            enqueue_ticket(kind)
    except redis.RedisError as error:
        # The job is safe in the database; the clock issues the ticket when Redis is back.
        logger.warning("no ticket for %s: %s", kind, error)


@cache
def _announce_script() -> Script:
    return bus.connection().register_script(_ANNOUNCE)


def enqueue_ticket(kind: WorkKind) -> None:
    if kind.core_type not in settings.CORE_TYPE_QUEUES:
        raise Refused(
            "no_queue",
            f"Core type {kind.core_type} has no queue: name it in PICLOUD_CORE_TYPES and start the stack again.",
        )
    queue_of(kind.core_type).enqueue_call(
        ENTRY_POINT,
        args=tuple(kind),
        job_id=f"{kind}-{secrets.token_hex(4)}",
        result_ttl=0,
        failure_ttl=60,
        timeout=-1,
        description=f"work of account {kind.account_id} on {kind.core_type} x {kind.cores}",
    )


def reissue_tickets() -> list[WorkKind]:
    """Give a ticket to every kind of queued work that has none, whatever became of it. For the clock."""
    backlog = {
        WorkKind(*row)
        for row in Job.objects.filter(status=Status.QUEUED)
        .values_list("account_id", "core_type_id", "cores")
        .annotate(Count("id"))
        .values_list("account_id", "core_type_id", "cores")
        .order_by()
    }
    waiting = {
        WorkKind.parse(ticket_id)
        for core_type in settings.CORE_TYPE_QUEUES
        for ticket_id in queue_of(core_type).job_ids
    }
    store = bus.connection()
    stale = [str(kind) for kind in _kinds_marked(store) if kind not in waiting]
    if stale:
        store.srem(TICKETS, *stale)
    lost = sorted(backlog - waiting)
    for kind in lost:
        announce_work(kind)
    return lost


def _kinds_marked(store: "redis.Redis") -> list[WorkKind]:
    return [WorkKind.parse(bus.text(member)) for member in store.smembers(TICKETS)]


def forget_ticket(kind: WorkKind) -> None:
    """Called by a worker that takes a ticket, before it claims: later work gets a ticket of its own."""
    bus.connection().srem(TICKETS, str(kind))
