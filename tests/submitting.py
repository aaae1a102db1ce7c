"""Submitting jobs in tests without a client: the pickles are never opened by the server, so any bytes will do."""

import base64
import hashlib
import uuid
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services import create_api_key
from common import packs
from jobs.models import Batch, Job
from jobs.services.claim import Claim, claim_chunk
from jobs.services.dispatch import WorkKind
from jobs.services.finish import Outcome, finish_jobs
from jobs.states import Reason, Status

FUNCTION = b"a pickled function"


def header(
    items: list[bytes], *, function: bytes = FUNCTION, options: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "idempotency_key": uuid.uuid4().hex,
        "map": len(items) > 1,
        "total": len(items),
        "first": 0,
        "sizes": [len(item) for item in items],
        "function": {
            "digest": hashlib.sha256(function).hexdigest(),
            "size": len(function),
            "name": "encode",
            "module": "videos",
        },
        "options": options or {},
        "client": {"python": "3.11", "version": "0.1.0", "hostname": "laptop", "pid": 1},
        **fields,
    }


def pack(items: list[bytes], *, function: bytes = FUNCTION, **fields: Any) -> bytes:
    return packs.build(header(items, function=function, **fields), function, *items)


class Api:
    """Requests to the API with a key of one user."""

    def __init__(self, user: User) -> None:
        self.key, self.secret = create_api_key(user=user, note="test")
        token = base64.b64encode(f"{self.key.pk}:{self.secret}".encode()).decode()
        self.client = Client(headers={"Authorization": f"Basic {token}"})

    def submit(self, items: list[bytes] | None = None, **fields: Any) -> Any:
        return self.client.post(
            "/api/v1/jobs", pack(items or [b"arguments"], **fields), content_type=packs.CONTENT_TYPE
        )

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json")

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}")


def submit(user: User, *, count: int = 1, **fields: Any) -> Batch:
    """A batch of `count` jobs, submitted over HTTP."""
    answer = Api(user).submit([b"arguments"] * count, **fields)
    assert answer.status_code == 201, answer.content
    return Batch.objects.get(account=user, first_jid=answer.json()["first_jid"])


def claim(user: User, *, worker: str = "w1", slots: int = 1, core_type: str = "c1", cores: int = 1) -> Claim | None:
    return claim_chunk(WorkKind(user.pk, core_type, cores), worker=worker, slots=slots)


def outcome(job: Any, *, status: Status = Status.DONE, run_ms: int = 1000, **fields: Any) -> Outcome:
    """The outcome of a claimed job that ran for `run_ms`."""
    row = Job.objects.get(pk=job.pk)
    assert row.started_at
    values: dict[str, Any] = {
        "reason": Reason.NONE if status == Status.DONE else Reason.EXCEPTION,
        "result": b"a pickled value",
        "is_exception": status == Status.ERROR,
        "error_text": "" if status == Status.DONE else "Traceback: ValueError: no",
        "started_at": row.started_at,
        "finished_at": row.started_at,
    }
    return Outcome(job_id=job.pk, jid=job.jid, attempt=job.attempt, status=status, run_ms=run_ms, **(values | fields))


def finish(found: Claim, *, worker: str = "w1", **fields: Any) -> int:
    """Finish all jobs of a claim alike."""
    outcomes = [outcome(job, **fields) for job in found.jobs]
    return finish_jobs(work=found.work, price_micros=found.price_micros, worker=worker, outcomes=outcomes)


def run_all(user: User, **fields: Any) -> None:
    """Claim and finish until nothing is queued."""
    while found := claim(user, core_type=fields.pop("core_type", "c1")):
        finish(found, **fields)
