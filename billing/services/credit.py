"""The free credit of each month: written into the ledger as it is used, and what happens when it is used up."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import User
from billing import words
from billing.models import Books, Kind, LedgerDay, LedgerEntry
from billing.months import Month, month_of
from billing.services.books import append, hour_of, locked_books
from billing.services.notices import note
from common.money import charge_of_dollars
from jobs.models import Hold
from jobs.services.holds import lift_hold, place_hold
from jobs.states import Reason

# Lines of this label are of the monthly credit; others of its kind were given by hand.
LABEL = "monthly credit"
SOURCE = "credit"
ABOUT = "the free credit of the month"


class Used(NamedTuple):
    """Of an account and month, as charges: what was used, the credit written for it, and what was given by hand."""

    used: int
    written: int
    by_hand: int


def give_credit(now: datetime | None = None) -> None:
    """Write what was used of the month's credit, and hold or release jobs by it. For the clock."""
    moment = now or timezone.now()
    credit = charge_of_dollars(settings.MONTHLY_CREDIT)
    month = month_of(moment)
    used = _used_in(month) if credit else {}
    if credit:
        # The last hours of a month are charged when it is over, and before it is closed.
        if _is_open(month.before):
            _write(month.before, _used_in(month.before), credit, moment)
        _write(month, used, credit, moment)
    is_held = settings.CREDIT_USED_UP == "hold" and bool(credit)
    out = {account_id for account_id, sums in used.items() if is_held and sums.used - sums.by_hand >= credit}
    _hold_or_lift(out, month)


def _used_in(month: Month, **account: int) -> Mapping[int, Used]:
    ours = Q(kind=Kind.CREDIT, label=LABEL)
    rows = (
        LedgerDay.objects.filter(day__range=(month.first, month.last), **account)
        .order_by()
        .values_list("account_id")
        .annotate(
            used=Sum("charge", filter=~Q(kind=Kind.CREDIT), default=0),
            written=Sum("charge", filter=ours, default=0),
            by_hand=Sum("charge", filter=Q(kind=Kind.CREDIT) & ~Q(label=LABEL), default=0),
        )
    )
    return {account_id: Used(int(used), -int(written), -int(by_hand)) for account_id, used, written, by_hand in rows}


def _is_open(month: Month) -> bool:
    opened = Books.objects.values_list("open_from", flat=True).first()
    return opened is None or month.start >= opened


def _write(month: Month, used: Mapping[int, Used], credit: int, now: datetime) -> None:
    for account_id, sums in used.items():
        if _due(sums, credit):
            _write_one(account_id, month, credit, now)


def _due(sums: Used, credit: int) -> int:
    return min(credit, max(0, sums.used)) - sums.written


def _write_one(account_id: int, month: Month, credit: int, now: datetime) -> None:
    """At most one line an hour, and one when the credit is used up."""
    prefix = f"credit {account_id} {month}"
    with locked_books() as books:
        # Counted again under the lock, so that of two clocks the second one finds what the first wrote.
        sums = _used_in(month, account_id=account_id).get(account_id)
        due = _due(sums, credit) if sums and _is_open(month) else 0
        if not sums or not due:
            return
        is_last = due + sums.written == credit
        # The first hours of the month after it write into it too, so the hour is named with its own month.
        names = [f"{prefix} {hour_of(now):%m-%d-%H}", *([f"{prefix} all"] if is_last else [])]
        taken = set(LedgerEntry.objects.filter(once__in=names).values_list("once", flat=True))
        free = [name for name in reversed(names) if name not in taken]
        if not free:
            return
        entry = LedgerEntry(
            account_id=account_id, kind=Kind.CREDIT, label=LABEL, at=min(hour_of(now), month.last_hour),
            charge=-due, once=free[0], note=f"Free credit of {month.words}.",
        )  # fmt: skip
        append(books, [entry])
        if free[0] == names[-1] and is_last:
            _tell(User.objects.get(pk=account_id), month)


def _tell(account: User, month: Month) -> None:
    goes_on = settings.CREDIT_USED_UP == "continue"
    end = words.day_of(month.end.date())
    then = (
        f"Jobs go on, and what they cost is charged until there is new credit on {end}."
        if goes_on
        else f"New jobs are held until there is new credit on {end}; those that run go on."
    )
    amount = words.exact(settings.MONTHLY_CREDIT)
    note(account, "credit.used_up", ABOUT, f"{amount} are used up. {then}", mail=True)


def _hold_or_lift(out: set[int], month: Month) -> None:
    """Hold the jobs of these accounts for it, and of no others."""
    sentence = words.held_by_credit(settings.MONTHLY_CREDIT, month)
    placed = {hold.account_id: hold for hold in Hold.objects.filter(source=SOURCE).select_related("account")}
    for account in User.objects.filter(pk__in=out):
        if account.pk not in placed or placed[account.pk].sentence != sentence:
            place_hold(account=account, source=SOURCE, reason=Reason.CREDIT, sentence=sentence)
    for account_id, hold in placed.items():
        if account_id not in out:
            lift_hold(account=hold.account, source=SOURCE)
            note(hold.account, "credit.renewed", ABOUT, "Jobs start again.")
