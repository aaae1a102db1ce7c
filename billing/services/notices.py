"""The story of an account's limits, and the mail about it: one for each account and round, whatever happened."""

from collections import defaultdict
from collections.abc import Sequence

from accounts.models import User
from billing.models import LimitEvent
from common.mail import mail_events

AT_ONCE = 1000  # events of one round


def note(account: User, name: str, about: str, sentence: str, *, mail: bool = False) -> None:
    """Add one event to the story of an account's limits; `mail` lets it go out with the next mail."""
    LimitEvent.objects.create(account=account, name=name, about=about[:250], sentence=sentence[:400], mail_due=mail)


def send_notices() -> int:
    """Mail what is due; how many mails. What cannot be sent is tried again. For the clock."""
    events = LimitEvent.objects.filter(mail_due=True).select_related("account").order_by("id")[:AT_ONCE]
    by_account: dict[int, list[LimitEvent]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    return sum(_send(own) for own in by_account.values())


def _send(events: Sequence[LimitEvent]) -> bool:
    account = events[0].account
    context = {"account": account, "events": events}
    return mail_events(events, account.email, _subject(events), "billing/mail/limits.txt", context)


SUBJECTS = {
    "budget.reached": "Budget of {}",
    "budget.forecast": "The budget of {} will not last",
    "credit.used_up": "Your free credit of the month is used up",
    "brake.put": "Jobs of {} are held",
}


def _subject(events: Sequence[LimitEvent]) -> str:
    if len(events) > 1:
        return f"{len(events)} things about your spending"
    event = events[0]
    return SUBJECTS[event.name].format(event.about)
