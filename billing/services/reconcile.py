"""Holding the ledger against the usage it was made from: they must not differ by anything."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Count, F, Sum
from django.utils import timezone

from accounts.models import User
from billing.models import Kind, LedgerDay, LedgerEntry, Reconciliation, Statement
from billing.services.books import locked_books
from billing.services.usage import posted_through
from common.money import dollars
from jobs.models import UsageRecord

# When nobody looks at jobs, of UTC.
AT_HOUR = 3
# Usage that is not charged after this time is a finding.
PATIENCE = timedelta(minutes=10)
MOST_FINDINGS = 50

_CHARGE = Sum(F("run_ms") * F("cores") * F("price_micros"), output_field=BigIntegerField())


def reconcile_nightly() -> None:
    """Reconcile once a night, and at once when that was never done."""
    now = timezone.now()
    due = now.replace(hour=AT_HOUR, minute=0, second=0, microsecond=0)
    due -= timedelta(days=1) if now < due else timedelta()
    if not Reconciliation.objects.filter(at__gte=due).exists():
        reconcile()


def reconcile() -> Reconciliation:
    """Compare run time x cores x price of all usage with the ledger, account by account, and keep what was found."""
    through = posted_through()
    usage = _by_account(UsageRecord.objects.filter(pk__lte=through), runs=Count("pk"), charge=_CHARGE)
    ledger = _by_account(
        LedgerEntry.objects.filter(kind=Kind.COMPUTE, last_usage_id__lte=through),
        runs=Sum("runs"),
        charge=Sum("charge"),
    )
    findings = [
        *_differences(usage, ledger),
        *_waiting(through, timezone.now()),
        *_wrong_days(),
        *_wrong_statements(),
    ]
    return Reconciliation.objects.create(
        last_usage_id=through,
        usage_rows=sum(runs for runs, _ in usage.values()),
        usage_charge=str(sum(charge for _, charge in usage.values())),
        ledger_charge=str(sum(charge for _, charge in ledger.values())),
        findings=findings[:MOST_FINDINGS],
    )


def _by_account(rows: Any, *, runs: Any, charge: Any) -> dict[int, tuple[int, int]]:
    """(runs, charge) of each account."""
    sums = rows.order_by().values("account").annotate(n=runs, c=charge).values_list("account", "n", "c")
    return {account: (int(n), int(c)) for account, n, c in sums}


def _differences(usage: dict[int, tuple[int, int]], ledger: dict[int, tuple[int, int]]) -> Iterator[str]:
    for account in sorted(usage.keys() | ledger.keys()):
        used, charged = usage.get(account, (0, 0)), ledger.get(account, (0, 0))
        if used != charged:
            yield (
                f"{_name(account)}: {used[0]:,} runs used for ${dollars(used[1]):f}, "
                f"{charged[0]:,} charged for ${dollars(charged[1]):f}."
            )


def _name(account: int) -> str:
    return User.objects.values_list("username", flat=True).get(pk=account)


def _waiting(through: int, now: datetime) -> Iterator[str]:
    """Runs that ended long ago and are not in the ledger: a clock that does not keep up, or a row out of order."""
    ended_before = now - PATIENCE
    late = UsageRecord.objects.filter(pk__gt=through, started_at__lt=ended_before).order_by("pk")[:1000]
    number = sum(row.started_at + timedelta(milliseconds=row.run_ms) < ended_before for row in late)
    if number:
        yield f"{number:,} runs that ended over ten minutes ago are not charged yet: does the clock run?"


def _wrong_days() -> Iterator[str]:
    """Sums of days that are not those of the ledger."""
    if not (suspects := _unlike_days()):
        return
    # The two were not read at one moment: what was written in between is told from what is wrong with nobody writing.
    with locked_books():
        wrong = _unlike_days(account__in=suspects)
    for account in wrong:
        yield f"{_name(account)}: the sums of its days are not those of its ledger."


def _unlike_days(**accounts: list[int]) -> list[int]:
    """Accounts whose days add up to something else than their entries."""
    days, entries = (
        dict(rows.filter(**accounts).order_by().values_list("account").annotate(Sum("charge")))
        for rows in (LedgerDay.objects, LedgerEntry.objects)
    )
    return sorted(
        account for account in days.keys() | entries.keys() if days.get(account, 0) != entries.get(account, 0)
    )


def _wrong_statements() -> Iterator[str]:
    """Closed statements whose month does not add up to them."""
    for statement in Statement.objects.select_related("account"):
        rows = LedgerEntry.objects.filter(account=statement.account_id, at__gte=statement.period.start)
        found = rows.filter(at__lt=statement.period.end).aggregate(n=Count("pk"), c=Sum("charge"))
        if (found["n"], int(found["c"] or 0)) != (statement.entries, statement.charge):
            yield f"{statement.account}: its ledger of {statement.period} is not what its statement says."
