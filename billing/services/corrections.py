"""Setting right what was charged: by a further row, never by changing one."""

from decimal import Decimal

from django.db.models import BigIntegerField, Sum
from django.utils import timezone

from accounts.models import User
from billing.models import Kind, LedgerDay, LedgerEntry
from billing.services.books import append, hour_of, locked_books
from common.exceptions import Refused
from common.money import MICROS_PER_DOLLAR, charge_of_dollars

MOST = Decimal(100_000)  # dollars of one correction
MAX_NOTE = 200


def correct(
    *, account: User, amount: Decimal, note: str, by: User, key: str, kind: str = Kind.CORRECTION
) -> LedgerEntry:
    """Add a row of so many dollars, which may be negative, to an account's ledger.

    `key` is new for each correction: a form that is sent twice corrects once. Answers the row. Raises Refused.
    """
    if kind not in (Kind.CORRECTION, Kind.CREDIT):
        raise Refused("bad_kind", "Only corrections and credits are entered by hand; the rest is measured.")
    check_amount(amount)
    note = note.strip()
    if not note or len(note) > MAX_NOTE:
        raise Refused("bad_note", f"Say in 1 to {MAX_NOTE} characters what it is for: the statement shows it.")
    entry = LedgerEntry(
        account=account, kind=kind, at=hour_of(timezone.now()), charge=charge_of_dollars(amount), note=note, made_by=by,
        once=f"by hand {key}",
    )  # fmt: skip
    with locked_books() as books:
        # Under the lock, so that of two at once the second one finds the first.
        if not LedgerEntry.objects.filter(once=entry.once).exists():
            _check_day(entry)
            append(books, [entry])
    return LedgerEntry.objects.get(once=entry.once)


def _check_day(entry: LedgerEntry) -> None:
    """Raises Refused when the sum of its day would be more than a number of the database."""
    day = LedgerDay.objects.filter(account=entry.account_id, day=entry.at.date(), kind=entry.kind, label=entry.label)
    charge = int(day.aggregate(charge=Sum("charge", default=0))["charge"]) + entry.charge
    if abs(charge) > BigIntegerField.MAX_BIGINT:
        raise Refused("bad_amount", "That is more than can be entered for one account on one day: go on tomorrow.")


def check_amount(amount: Decimal) -> Decimal:
    """The amount, when it can be charged. Raises Refused."""
    if not amount.is_finite() or not 0 < abs(amount) <= MOST:
        raise Refused("bad_amount", f"An amount is not 0 and at most ${MOST:,}, whichever its sign; {amount} is not.")
    if amount * MICROS_PER_DOLLAR % 1:
        raise Refused("bad_amount", f"An amount has six decimals at most; {amount} has more.")
    return amount
