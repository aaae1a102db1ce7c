"""Crons for tests, and the way of their time."""

from datetime import UTC, datetime
from typing import Any

from common import packs
from crons.models import Cron, CronRun
from crons.services import register
from crons.terms import Terms, parse_terms
from jobs.services.submission import Submission, parse_submission
from tests.submitting import pack


def submission(function: bytes = b"a pickled function", **fields: Any) -> Submission:
    return parse_submission(*packs.parse(pack([b"arguments"], function=function, **fields)))


def terms(label: str = "tweet", schedule: Any = "* * * * *", **fields: Any) -> Terms:
    return parse_terms({"label": label, "schedule": schedule, **fields})


def make(account: Any, label: str = "tweet", schedule: Any = "* * * * *", **fields: Any) -> Cron:
    return register.register(account=account, submission=submission(), terms=terms(label, schedule, **fields))[0]


def at(text: str) -> datetime:
    """A moment of the day on which the tests of the ticker play, in UTC."""
    return datetime.fromisoformat(f"2031-03-05T{text}").replace(tzinfo=UTC)


def due(cron: Cron, moment: datetime) -> Cron:
    """The cron, whose next run is at this moment."""
    Cron.objects.filter(pk=cron.pk).update(next_at=moment)
    return Cron.objects.get(pk=cron.pk)


def add_copies(cron: Cron, number: int, *, next_at: datetime) -> None:
    """Many crons like this one, written straight into the table: "cron 00000" and so on."""
    rest = Cron.objects.get(pk=cron.pk)
    rows = []
    for n in range(number):
        rest.pk, rest.label, rest.next_at = None, f"cron {n:05}", next_at
        rows.append(Cron(**{field.attname: getattr(rest, field.attname) for field in Cron._meta.concrete_fields}))
    Cron.objects.bulk_create(rows)


def history(cron: Cron) -> list[tuple[str, str, str]]:
    """Time, trigger and outcome of the runs, oldest first."""
    runs = CronRun.objects.filter(cron=cron).order_by("scheduled_at", "pk")
    return [(f"{run.scheduled_at:%H:%M}", run.trigger, run.outcome) for run in runs]
