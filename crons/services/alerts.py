"""Mail about crons that changed their state: one for each account and round, however many crons changed."""

from collections import defaultdict
from collections.abc import Sequence

from common.mail import mail_events
from crons.models import CronEvent

AT_ONCE = 1000  # changes of one round
SUBJECT_LABEL = 60  # characters


def send_alerts() -> int:
    """Mail the changes of state that are due; how many mails. What cannot be sent is tried again. For the clock."""
    events = list(CronEvent.objects.filter(mail_due=True).select_related("cron__account").order_by("id")[:AT_ONCE])
    by_account: dict[int, list[CronEvent]] = defaultdict(list)
    for event in events:
        by_account[event.cron.account_id].append(event)
    return sum(_send(own) for own in by_account.values())


def _send(events: Sequence[CronEvent]) -> bool:
    account = events[0].cron.account
    context = {"account": account, "events": events}
    return mail_events(events, account.email, _subject(events), "crons/mail/alert.txt", context)


def _subject(events: Sequence[CronEvent]) -> str:
    if len(events) == 1:
        event = events[0]
        return f"Cron {event.cron.label[:SUBJECT_LABEL]} is {event.after}"
    return f"{len(events)} changes of your crons"
