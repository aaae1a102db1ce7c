"""The weekly digest of an account's crons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from common.mail import mail
from common.money import dollars
from crons.models import Cron, CronDay, Digest
from crons.schedule import Schedule
from crons.states import BAD
from crons.zones import zone_names

SCHEDULE = "0 8 * * mon"
AT_ONCE = 100  # accounts of one round
MOST_LINES = 50  # crons in one digest


@dataclass(frozen=True, kw_only=True)
class Line:
    """A cron's week."""

    cron: Cron
    ok: int
    failed: int
    late: int
    missed: int
    skipped: int
    cost: Decimal


def next_digest(account: User, now: datetime) -> datetime:
    """Next Monday morning where the account's owner is."""
    zone = account.time_zone if account.time_zone in zone_names() else "UTC"
    moment = Schedule.parse(SCHEDULE, zone).next_after(now)
    assert moment is not None
    return moment


def send_digests(now: datetime | None = None) -> int:
    """Mail the digests that are due to accounts with crons that alert; how many. For the clock."""
    moment = now or timezone.now()
    due = Digest.objects.filter(next_at__lte=moment).select_related("account").order_by("next_at")
    return sum(_send(digest, moment) for digest in due[:AT_ONCE])


def _send(digest: Digest, now: datetime) -> bool:
    # Taken first: of two clocks at once only one mails it.
    later = next_digest(digest.account, now)
    mine = Digest.objects.filter(pk=digest.pk, next_at=digest.next_at)
    if not mine.update(next_at=later):
        return False
    crons = Cron.objects.filter(account=digest.account, alerts=True)
    number = crons.count()
    if not number:
        return False
    context = {
        "account": digest.account,
        "number": number,
        "bad": list(crons.filter(state__in=BAD).order_by("label")[:MOST_LINES]),
        "lines": _week(digest.account, now),
    }
    subject = f"Your week: {number} cron{'' if number == 1 else 's'}"
    if mail(digest.account.email, subject, "crons/mail/digest.txt", context):
        return True
    Digest.objects.filter(pk=digest.pk, next_at=later).update(next_at=digest.next_at)
    return False


def _week(account: User, now: datetime) -> list[Line]:
    """The crons that something was due for, those with most trouble first."""
    days = CronDay.objects.filter(cron__account=account, cron__alerts=True, day__gt=now.date() - timedelta(days=7))
    sums = days.values("cron").annotate(
        ok=Sum("n_ok"), failed=Sum("n_failed"), late=Sum("n_late"), missed=Sum("n_missed"), skipped=Sum("n_skipped"),
        charges=Sum("charge"),
    )  # fmt: skip
    rows = list(sums.order_by("-failed", "-missed", "-late", "cron")[:MOST_LINES])
    crons = Cron.objects.in_bulk([row["cron"] for row in rows])
    return [
        Line(
            cron=crons[row["cron"]], ok=row["ok"], failed=row["failed"], late=row["late"], missed=row["missed"],
            skipped=row["skipped"], cost=dollars(row["charges"]),
        )
        for row in rows
    ]  # fmt: skip
