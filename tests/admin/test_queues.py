"""django-rq's pages in the admin site: queues, workers, tickets; and no way to a pickle."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_rq import get_queue
from redis import Redis
from rq import Worker, serializers
from rq.executions import Execution
from rq.job import Job
from rq.registry import FailedJobRegistry

from jobs.services.dispatch import ENTRY_POINT, WorkKind, enqueue_ticket

QUEUE = "standard-c1"
LISTS = (
    "jobs",
    "queue_details",
    "workers",
    "finished_jobs",
    "failed_jobs",
    "scheduled_jobs",
    "started_jobs",
    "deferred_jobs",
)


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:django_rq_{name}", args=args)


@pytest.fixture
def ticket(redis: Redis) -> Job:
    """A ticket as `jobs` writes it, in the queue."""
    enqueue_ticket(WorkKind(7, "c1", 1))
    (job,) = get_queue(QUEUE).jobs
    return job


@pytest.fixture
def worker(redis: Redis, ticket: Job) -> Worker:
    """A worker that is known to RQ and is at the ticket."""
    worker = Worker([get_queue(QUEUE)], connection=redis, name="w1")
    worker.register_birth()
    with redis.pipeline() as pipeline:
        Execution.create(ticket, ttl=60, pipeline=pipeline, worker_name=worker.name)
        pipeline.execute()
    return worker


def pages(job_id: str) -> list[str]:
    return [address("home"), address("job_detail", 0, job_id), *(address(name, 0) for name in LISTS)]


def test_queues_are_on_the_front_page(admin_site: Client) -> None:
    assert address("home").rpartition("dashboard")[0].encode() in admin_site.get("/admin/").content


def test_every_page_answers(admin_site: Client, ticket: Job) -> None:
    assert {path: admin_site.get(path).status_code for path in pages(ticket.id)} == dict.fromkeys(pages(ticket.id), 200)


def test_ticket_shows_its_numbers(admin_site: Client, ticket: Job) -> None:
    content = admin_site.get(address("job_detail", 0, ticket.id)).content.decode()
    assert ENTRY_POINT in content
    assert "Unpickling Error" not in content


def test_worker_at_work_is_shown(admin_site: Client, ticket: Job, worker: Worker) -> None:
    assert b"w1" in admin_site.get(address("workers", 0)).content
    assert ticket.id in admin_site.get(address("worker_details", 0, worker.key)).content.decode()


def test_users_and_strangers_are_kept_out(client: Client, alice_client: Client, ticket: Job) -> None:
    for path in [*pages(ticket.id), address("clear", 0)]:
        for person in (client, alice_client):
            assert person.get(path).status_code == 302
    assert alice_client.post(address("clear", 0)).status_code == 302
    assert get_queue(QUEUE).count == 1
    assert client.get(address("home_json")).status_code in (401, 403, 404)


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_no_page_opens_a_pickle(admin_site: Client, redis: Redis, tmp_path: Path, ticket: Job, worker: Worker) -> None:
    """Even when a pickle lies in Redis, where only somebody who broke in there can have put it."""
    opened = tmp_path / "opened"
    pickled = pickle.dumps(Canary(opened))
    redis.hset(ticket.key, mapping={"data": pickled, "meta": pickled, "result": pickled})
    FailedJobRegistry(QUEUE, connection=redis).add(ticket, ttl=-1)
    paths = [*pages(ticket.id), address("worker_details", 0, worker.key), address("delete_job", 0, ticket.id)]
    admin_site.raise_request_exception = False
    for path in paths:
        admin_site.get(path)
    for path in (address("delete_failed_jobs", 0), address("requeue_all", 0), address("requeue_job", 0, ticket.id)):
        admin_site.post(path)
    assert not opened.exists()


@pytest.mark.parametrize("named", [None, "", "pickle"])
def test_rq_never_falls_back_to_pickle(named: str | None) -> None:
    assert serializers.resolve_serializer(named) is serializers.JSONSerializer
