"""Run the worker of one core slot until SIGTERM or SIGINT."""

import gc
import logging
import os
import platform
from typing import Any

import django_rq
import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rq.worker import DequeueStrategy

from jobs.services import machines, recover
from jobs.services.dispatch import queue_name
from worker.sandbox import network_mode, remove_leftovers
from worker.slot_worker import SlotWorker
from worker.slots import Slots

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs jobs on one core of this machine: takes tickets from the queues and runs what they stand for."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slot", type=int, default=1, help="Number of the core slot, from 1.")

    def handle(self, *args: Any, **options: Any) -> None:
        slot = options["slot"]
        core_types = list(settings.CORE_TYPE_QUEUES)
        store = django_rq.get_connection(queue_name(core_types[0]))
        try:
            # What is taken back below would be another machine's otherwise.
            machines.claim_own_name()
        except machines.NameTaken as taken:
            raise CommandError(str(taken)) from taken
        except redis.RedisError as error:
            raise CommandError(f"Redis does not answer, so there is nothing to take work from: {error}") from error
        slots = Slots(settings.RUN_DIR / "slots", settings.WORKER_SLOTS, own=slot)
        worker = SlotWorker(slot=slot, core_types=core_types, slots=slots, store=store)
        # A worker of this slot that was killed may have left a sandbox that still runs its job.
        remove_leftovers(settings.PICLOUD_HOME, slot=slot)
        recover.release_worker(worker=worker.lease_name)
        worker.describe(
            sandbox=settings.SANDBOX, network=network_mode(), python=platform.python_version(), user=os.getuid()
        )
        # What is loaded by now stays: the collector need not walk through it again in the middle of a job.
        gc.collect()
        gc.freeze()
        try:
            worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
        finally:
            worker.close()
            if worker.bears_name:
                recover.stop_worker(worker=worker.lease_name)
