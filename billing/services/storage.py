"""Charging for what is kept: the bytes of an account's files, measured once a day."""

from datetime import UTC, date, datetime

from django.db.models import Sum
from django.utils import timezone

from billing.models import Kind, LedgerEntry, RateKind, StorageDay
from billing.months import month_of
from billing.services.books import append, hour_of, locked_books
from billing.services.rates import rate_at
from common.money import MS_PER_HOUR
from storage.models import StoredFile

GB = 1_000_000_000


def charge_of_storage(*, size: int, micros: int, days_of_month: int) -> int:
    """The charge of so many bytes for one day of a month, at so many micro-dollars for a GB-month.

    Rounded down by less than a millionth of a millionth of a dollar.
    """
    # Micro-dollars x MS_PER_HOUR are a charge.
    return size * micros * MS_PER_HOUR // (GB * days_of_month)


def measure_storage() -> int:
    """Measure and charge today's bytes of each account, unless that was done; answers how many accounts it was for."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    sizes = dict(StoredFile.objects.order_by().values_list("account").annotate(Sum("size")))
    done = set(StorageDay.objects.filter(day=today, account__in=sizes).values_list("account", flat=True))
    due = {account: size for account, size in sizes.items() if account not in done and size}
    if due:
        _charge(due, today, now)
    return len(due)


def _charge(sizes: dict[int, int], today: date, now: datetime) -> None:
    micros = rate_at(RateKind.STORAGE, now)
    days = month_of(now).last.day
    with locked_books() as books:
        # The lock came after the look: somebody may have been faster.
        done = set(StorageDay.objects.filter(day=today, account__in=sizes).values_list("account", flat=True))
        due = {account: size for account, size in sizes.items() if account not in done}
        StorageDay.objects.bulk_create(StorageDay(account_id=a, day=today, bytes=size) for a, size in due.items())
        append(
            books,
            [
                LedgerEntry(
                    account_id=account,
                    kind=Kind.STORAGE,
                    at=hour_of(now),
                    charge=charge_of_storage(size=size, micros=micros, days_of_month=days),
                    price_micros=micros,
                    bytes=size,
                    once=f"storage {account} {today}",
                )
                for account, size in due.items()
                if micros
            ],
        )
