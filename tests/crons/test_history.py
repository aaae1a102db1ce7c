"""How far back the runs of crons are listed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crons.models import CronDay, CronRun
from crons.services import history
from crons.states import Outcome, Verdict
from tests.crons.making import make
from tests.crons.rows import make_day, make_run

pytestmark = pytest.mark.usefixtures("base_environment")


def test_old_runs_are_forgotten_and_their_days_kept(alice: Any, settings: Any, monkeypatch: Any) -> None:
    settings.CRON_HISTORY_DAYS = 30
    monkeypatch.setattr(history, "AT_ONCE", 2)
    cron, now = make(alice), timezone.now()
    make_run(cron, now - timedelta(days=60), outcome=Outcome.MISSED)
    for days in (50, 40, 35, 31, 29, 1):
        make_run(cron, now - timedelta(days=days))
    make_day(cron, 50, n_ok=1)
    assert history.forget_old_runs() == 5
    assert history.forget_old_runs() == 0
    left = CronRun.objects.order_by("scheduled_at").values_list("scheduled_at", flat=True)
    assert [(now - at).days for at in left] == [29, 1]
    assert CronDay.objects.count() == 1


def test_run_whose_job_is_unfinished_is_kept(alice: Any, settings: Any) -> None:
    settings.CRON_HISTORY_DAYS = 30
    cron = make(alice)
    make_run(cron, timezone.now() - timedelta(days=90), verdict=Verdict.PENDING)
    assert history.forget_old_runs() == 0
