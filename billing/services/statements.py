"""Closing months: after that a month takes no more entries, and its statements never change."""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from billing.models import Books, LedgerEntry, Statement
from billing.months import Month, month_of
from billing.selectors.statements import content_of
from billing.services.books import locked_books

# Workers report a moment after a run has ended, and a clock may have been down for a while.
CLOSED_AFTER = timedelta(hours=6)


def close_months() -> int:
    """Close each month that has been over for a while, and make its statements; answers how many of those."""
    made = 0
    # Whoever closed it may have been stopped before all were made.
    if (opened := _open_from()) is not None:
        made += _make_statements(month_of(opened).before)
    while (month := _first_open(opened)) is not None and month.end + CLOSED_AFTER <= timezone.now():
        with locked_books() as books:
            # Another clock may have closed it, and more: that is never taken back.
            is_ours = books.open_from == opened
            if is_ours:
                books.open_from = month.end
                books.save(update_fields=["open_from"])
            opened = books.open_from
        if is_ours:
            made += _make_statements(month)
    return made


def _open_from() -> datetime | None:
    return Books.objects.values_list("open_from", flat=True).first()


def _first_open(opened: datetime | None) -> Month | None:
    """The month to be closed next; none while the ledger is empty."""
    if opened is not None:
        return month_of(opened)
    first = LedgerEntry.objects.order_by("at").values_list("at", flat=True).first()
    return month_of(first) if first else None


def _make_statements(month: Month) -> int:
    """A statement for each account that was charged in a closed month and has none yet; answers how many."""
    charged = LedgerEntry.objects.filter(at__gte=month.start, at__lt=month.end)
    accounts = User.objects.filter(pk__in=charged.values("account"))
    have = Statement.objects.filter(month=month.first).values("account")
    made = 0
    for account in accounts.exclude(pk__in=have):
        content = content_of(account, month)
        _, created = Statement.objects.get_or_create(
            account=account,
            month=month.first,
            defaults={
                "charge": content["charge"],
                "entries": content["entries"],
                "last_entry_id": content["last"],
                "content": content,
            },
        )
        made += created
    return made
