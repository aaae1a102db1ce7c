"""How long 10,000 crons take that are due in one minute, among many: `python benchmarks/crons.py [crons] [--postgres]`.

Makes a database and a Valkey of its own in a temporary directory, fills it with crons of a hundred accounts and a few
hundred different schedules, lets the ticker submit what is due, and asks how long a tick takes when nothing is.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DUE, ACCOUNTS = 10_000, 100
CRONS = next((int(word) for word in sys.argv[1:] if word.isdecimal()), 100_000)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")
# All of these are due on the hour, in every zone.
HOURLY = ("* * * * *", "*/5 * * * *", "*/15 * * * *", "0 * * * *", "0,30 * * * *", "@hourly", "0-30/6,45 * * * mon-fri")
IDLE_TICKS = 50


def schedules() -> list[tuple[str, str]]:
    daily = [f"{minute} {hour} * * *" for minute in range(0, 60, 7) for hour in range(24)]
    return [(schedule, zone) for schedule in daily for zone in ZONES]


def fill(due_at: datetime) -> None:
    """A hundred accounts with a thousand crons each; a tenth of all are due at the moment, the others later."""
    from django.db import transaction

    from accounts.models import User
    from common import packs
    from common.sql import insert_many
    from crons.models import Cron
    from crons.services.register import register
    from crons.terms import parse_terms
    from environments.models import Environment
    from jobs.services.submission import parse_submission
    from tests.submitting import pack

    Environment.objects.create(name="base", image="none", python="3.11")
    rng, choices = random.Random(7), schedules()
    for number in range(ACCOUNTS):
        account = User.objects.create(username=f"account-{number}")
        submission = parse_submission(*packs.parse(pack([b"arguments"])))
        terms = parse_terms({"label": "first", "schedule": "* * * * *"})
        first, _ = register(account=account, submission=submission, terms=terms)
        values = {
            field.attname: getattr(first, field.attname)
            for field in Cron._meta.concrete_fields
            if field.attname != "id"
        }
        rows = []
        for place in range(CRONS // ACCOUNTS):
            moment, (schedule, zone) = due_at + timedelta(minutes=rng.randrange(1, 1440)), rng.choice(choices)
            if place < DUE // ACCOUNTS:
                moment, schedule = due_at, rng.choice(HOURLY)
            named = {"label": f"cron {place}", "schedule": schedule, "timezone": zone, "next_at": moment}
            rows.append({**values, **named})
        first.delete()
        with transaction.atomic():
            insert_many(Cron, rows)


def measure(due_at: datetime) -> None:
    from django.db import connection

    from crons.models import CronRun
    from crons.selectors import next_due
    from crons.services.judge import judge
    from crons.services.ticker import tick
    from jobs.models import Job

    began, spent = time.perf_counter(), time.process_time()
    started = tick(due_at)
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    assert started == DUE == Job.objects.count() == CronRun.objects.filter(outcome="submitted").count(), started
    print(f"{connection.vendor}: {started:,} crons submitted in {took:.2f} s ({cpu:.2f} s of processor time)")
    began = time.perf_counter()
    for _ in range(IDLE_TICKS):
        tick(due_at)
        next_due()
    print(f"{connection.vendor}: a tick of {CRONS:,} crons without one due, and asking for the next: ", end="")
    print(f"{(time.perf_counter() - began) / IDLE_TICKS * 1000:.2f} ms")
    began = time.perf_counter()
    judge(due_at)
    print(f"{connection.vendor}: a look at {started:,} runs without a verdict: {time.perf_counter() - began:.3f} s")


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="picloud-crons-"))
    os.environ.update(PICLOUD_HOME=str(home), DJANGO_SETTINGS_MODULE="picloud_site.settings", LOG_LEVEL="WARNING")
    sys.path.insert(0, str(ROOT))
    place = home.with_name(f"{home.name}-pg")
    if "--postgres" in sys.argv:
        os.environ["DATABASE_URL"] = f"postgresql://picloud@/picloud?host={place}"
    from tests import servers

    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.enter_context(servers.valkey(home / "run"))
        if "--postgres" in sys.argv:
            stack.enter_context(servers.postgres(place, database="picloud"))
        run()


def run() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    due_at = datetime(2031, 3, 5, 12, tzinfo=UTC)
    began = time.monotonic()
    fill(due_at)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    measure(due_at)


if __name__ == "__main__":
    main()
