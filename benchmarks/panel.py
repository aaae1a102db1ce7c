"""Server time of the jobs panel at 10,000 and 1,000,000 batches: `python benchmarks/panel.py [rows ...]`.

Makes a database of its own in a temporary directory, one job in each batch, and asks for pages through
the whole of Django: session, sign-in, filters, templates. `--explain` prints the plans of the queries.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = (10_000, 1_000_000)
ROUNDS = 40
SPAN = timedelta(days=365)
CHUNK = 50_000

# The bulk of an account, and something rare of each kind: the hard case of a filter is the rare value.
STATUSES = ["done"] * 970 + ["error"] * 20 + ["killed"] * 8 + ["stalled"] * 2
CORE_TYPES = ["c1"] * 80 + ["c2"] * 15 + ["f2"] * 4 + ["m1"]
FUNCTIONS, LABELS = 200, 300


def questions(rows: int) -> dict[str, str]:
    """What is asked, by name. The first six are the filters of the panel."""
    day = (datetime.now(UTC) - timedelta(days=180)).date()
    return {
        "status": "?status=error",
        "label": "?label=label-007",
        "function": "?function=function_007",
        "core type": "?type=m1",
        "date": f"?since={day}&until={day + timedelta(days=1)}",
        "text": "?text=_00",
        "no filter": "",
        "jid": f"?text={rows // 2}",
        "rare status": "?status=queued",
        "rare label": "?label=rare",
        "rare function": "?function=rare",
        "page in the middle": f"?before={rows // 2}",
        "status and type": "?status=stalled&type=m1",
        "rare status and common type": "?status=queued&type=c1",
        "common status, rare function": "?status=done&function=rare",
        "text and status": "?text=function&status=stalled",
        "old text": "?text=oldest",
        "nothing found": "?text=does-not-exist",
    }


def rows_of(count: int, ids: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """A batch and its job, oldest first."""
    rng = random.Random(7)
    start = datetime.now(UTC).replace(tzinfo=None) - SPAN
    for n in range(1, count + 1):
        status = "queued" if n > count - 5 else rng.choice(STATUSES)
        # Squared: a few functions have most of the calls.
        function = ids["functions"][int(FUNCTIONS * rng.random() ** 2)]
        label = f"label-{rng.randrange(LABELS):03}" if rng.random() < 0.4 else ""
        if n in (count // 3, count // 2):
            function, label = ids["rare"], "rare"
        if n < 4:
            label = "the-oldest"
        at = start + SPAN * (n / (count + 1))
        core_type, run_ms = rng.choice(CORE_TYPES), rng.randrange(1, 100_000)
        counts = [
            int(status == name) for name in ("waiting", "queued", "processing", "done", "error", "killed", "stalled")
        ]
        ended = at + timedelta(milliseconds=run_ms)
        yield (
            (
                n,
                ids["account"],
                n,
                function,
                ids["blob"],
                label,
                core_type,
                ids["environment"],
                at,
                *counts,
                run_ms,
                run_ms * 50_000,
            ),
            (n, ids["account"], n, n, status, core_type, at, at, ended, run_ms, 50_000, 30_000_000),
        )


BATCH_SQL = """INSERT INTO jobs_batch (id, account_id, first_jid, function_id, function_blob_id, label, core_type_id,
    environment_id, created_at, n_waiting, n_queued, n_processing, n_done, n_error, n_killed, n_stalled, run_ms, charge,
    is_map, size, received, cores, priority, restartable, kill_process, ignore_dependency_errors, env_vars, client,
    memory_peak)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, 0, 1, 1, 1, 5, 1, 0, 0, '{}', '{}', 30000000)"""
JOB_SQL = """INSERT INTO jobs_job (id, account_id, jid, batch_id, status, core_type_id, queued_at, started_at,
    finished_at, run_ms, price_micros, memory_peak, "index", reason, cores, priority, attempt, worker)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?, 0, '', 1, 5, 1, 'w')"""


def fill(count: int) -> Any:
    """An account with that many batches."""
    from django.db import connection

    from accounts.models import User
    from environments.models import Environment
    from jobs.models import Function
    from storage.models import Blob

    user = User.objects.create_user(f"owner-of-{count}")
    named = [Function(account=user, module="bench", name=f"function_{n:03}") for n in range(FUNCTIONS)]
    functions = Function.objects.bulk_create(named)
    ids = {
        "account": user.pk,
        "functions": [function.pk for function in functions],
        "rare": Function.objects.create(account=user, module="bench", name="rare").pk,
        "blob": Blob.objects.create(account=user, digest="0" * 64, size=1, inline=b"x").pk,
        "environment": Environment.objects.create(name="base", image="x", digest="x", python="3.11").pk,
    }
    connection.ensure_connection()
    raw = connection.connection
    rows = rows_of(count, ids)
    while chunk := [row for row, _ in zip(rows, range(CHUNK), strict=False)]:
        raw.execute("BEGIN")
        raw.executemany(BATCH_SQL, [batch for batch, _ in chunk])
        raw.executemany(JOB_SQL, [job for _, job in chunk])
        raw.execute("COMMIT")
    return user


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measure(user: Any, rows: int) -> None:
    """Print the times of each question, asked in turns so that a slow moment falls on all alike."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    asked = questions(rows)
    times: dict[str, list[float]] = {name: [] for name in asked}
    spent: dict[str, list[float]] = {name: [] for name in asked}
    found: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, query in asked.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            response = client.get(f"/jobs/{query}")
            times[name].append((time.perf_counter() - began) * 1000)
            spent[name].append((time.process_time() - began_cpu) * 1000)
            assert response.status_code == 200, (name, response.status_code)
            found[name] = response.content.count(b"<tbody")
    # CPU time beside it: other work on the machine delays an answer, and does not make it cost more.
    print(f"\n{rows:,} batches                     p50 ms   p95 ms   p95 CPU ms   rows")
    for name, measured in times.items():
        p50, p95 = statistics.median(measured), percentile(measured, 0.95)
        print(f"  {name:<32} {p50:8.1f} {p95:8.1f} {percentile(spent[name], 0.95):12.1f} {found[name]:6}")


def explain(user: Any, rows: int) -> None:
    """Print the plan of every query that a question leads to."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from jobs.forms import FilterForm
    from jobs.selectors import panel

    for name, query in questions(rows).items():
        from django.http import QueryDict

        form = FilterForm(QueryDict(query.lstrip("?")), core_types=panel.core_types())
        with CaptureQueriesContext(connection) as captured:
            panel.batch_page(account=user, filters=form.filters())
        print(f"\n{name}")
        for sql in {entry["sql"] for entry in list(captured)[:6]}:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                for *_, step in cursor.fetchall():
                    print("   ", step)


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:] if word.isdecimal()] or list(SIZES)
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="picloud-panel-") as home:
            # One process for each size: Django is set up once.
            pid = os.fork()
            if pid == 0:
                one_size(rows, home)
                os._exit(0)
            if os.waitpid(pid, 0)[1]:
                sys.exit(f"The measurement of {rows:,} batches failed.")


def one_size(rows: int, home: str) -> None:
    os.environ.update(PICLOUD_HOME=home, DJANGO_SETTINGS_MODULE="picloud_site.settings", LOG_LEVEL="WARNING")
    sys.path.insert(0, str(ROOT))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    began = time.monotonic()
    user = fill(rows)
    print(f"filled {rows:,} batches in {time.monotonic() - began:.0f} s", flush=True)
    if "--explain" in sys.argv:
        explain(user, rows)
    measure(user, rows)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
