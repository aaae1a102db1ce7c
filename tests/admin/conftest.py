"""An operator, and rows of every kind."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import create_api_key, create_user
from billing.models import Brake, Budget, KeyHour, LimitEvent
from billing.services.reconcile import reconcile
from billing.services.reservations import post_reserved_hours
from billing.services.statements import close_months
from billing.services.storage import measure_storage
from billing.services.usage import post_usage
from environments.models import Environment
from jobs.models import (
    ArgumentPack,
    Batch,
    BatchTrace,
    CoreType,
    Dedication,
    Dependency,
    Function,
    Hold,
    JidCounter,
    Job,
    JobEvent,
    JobLog,
    JobMetrics,
    JobResult,
    ModuleArchive,
    ModuleSet,
    UsageRecord,
)
from realtime.models import Reservation
from storage.services import put_blob, save_file

PICKLE = b"\x80\x05cos\nsystem\n(S'touch /tmp/opened'\ntR."

MARCH = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def operator(db: None) -> User:
    return create_user(username="olga", password="olga-password", is_staff=True)


@pytest.fixture
def admin_site(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def add_job(user: User, *, jid: int, status: str = "done") -> Job:
    """A job with all that can hang on one."""
    blob = put_blob(account=user, data=PICKLE)
    core_type = CoreType.objects.get(code="c1")
    environment, _ = Environment.objects.get_or_create(name="base", defaults={"image": "test", "python": "3.11"})
    function, _ = Function.objects.get_or_create(account=user, module="videos", name="encode")
    batch = Batch.objects.create(
        account=user,
        size=1,
        received=1,
        first_jid=jid,
        function=function,
        function_blob=blob,
        core_type=core_type,
        environment=environment,
        **{f"n_{status}": 1},
    )
    modules = ModuleSet.objects.create(account=user, digest=f"{jid:064}")
    ModuleArchive.objects.create(module_set=modules, position=0, name="<b>attrs", blob=blob)
    ArgumentPack.objects.create(batch=batch, first_index=0, count=1, blob=blob)
    job = Job.objects.create(account=user, jid=jid, batch=batch, index=0, status=status, core_type=core_type)
    JobResult.objects.create(job=job, size=len(PICKLE), inline=PICKLE, error_text="Traceback <script>")
    JobLog.objects.create(job=job, stream="stdout", head="<script>alert(1)</script>")
    JobMetrics.objects.create(job=job, samples=[[0.5, 99.0, 1000]])
    Dependency.objects.create(batch=batch, on_job=job)
    JobEvent.objects.create(batch=batch, first_jid=jid, last_jid=jid, name="job.submitted")
    UsageRecord.objects.create(
        account=user,
        jid=jid,
        batch_id=batch.pk,
        attempt=1,
        core_type=core_type,
        cores=1,
        price_micros=50_000,
        started_at=batch.created_at,
        run_ms=1000,
    )
    return job


def add_books(user: User) -> None:
    """What was charged, and how it was found to be."""
    UsageRecord.objects.create(
        account=user, jid=99, batch_id=99, attempt=1, core_type_id="c1", cores=1, price_micros=50_000,
        started_at=MARCH, run_ms=1000,
    )  # fmt: skip
    Reservation.objects.create(
        account=user, number=1, core_type_id="c1", cores=2, price_micros=15_000, state="ended",
        starts_at=MARCH, ready_at=MARCH, ended_at=MARCH + timedelta(hours=1),
    )  # fmt: skip
    post_usage()
    post_reserved_hours()
    measure_storage()
    close_months()
    reconcile()


@pytest.fixture
def rows(alice: Any) -> User:
    """Rows of every kind, all of Alice."""
    create_api_key(user=alice, note="laptop")
    save_file(account=alice, name="<b>.html", stream=io.BytesIO(b"x"), size=1)
    JidCounter.objects.create(account=alice, next_jid=4)
    words = "<script>alert(1)"
    Budget.objects.create(account=alice, scope="label", name="<b>night", limit=1)
    Brake.objects.create(account=alice, api_key=1, sentence=words)
    KeyHour.objects.create(account=alice, api_key=1, hour=timezone.now(), through=0)
    LimitEvent.objects.create(account=alice, name="budget.set", about="<b>night", sentence=words)
    Hold.objects.create(
        account=alice, source="budget-1", label="<b>night", reason="budget", sentence="<script>alert(1)"
    )
    BatchTrace.objects.create(batch_id=99, function="videos.encode")
    Dedication.objects.create(worker="w1", account=alice, core_type_id="c1")
    for jid in range(1, 4):
        add_job(alice, jid=jid, status="queued" if jid == 3 else "done")
    add_books(alice)
    return alice
