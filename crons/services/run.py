"""Running a cron by hand."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from crons.models import CronRun
from crons.selectors import cron_for
from crons.states import Outcome, Trigger
from jobs.services.submit_many import Prepared, announce, submit_many


def run_now(*, account: User, label: str) -> int:
    """Start a run outside of the schedule, paused or not, whatever else runs; its jid. Raises NotFound."""
    now = timezone.now()
    with transaction.atomic():
        cron = cron_for(account=account, label=label, locked=True)
        prepared = [
            Prepared(account_id=cron.account_id, label=cron.job_label, arguments_id=cron.arguments_id, runs=cron)
        ]
        started = submit_many(prepared, at=now)
        CronRun.objects.create(
            cron=cron,
            scheduled_at=now,
            trigger=Trigger.MANUAL,
            outcome=Outcome.SUBMITTED,
            registration=cron.registration,
            job_id=started[0].job_id,
            jid=started[0].jid,
            submitted_at=now,
            late_at=now + cron.grace,
        )
    announce(prepared, started)
    return started[0].jid
