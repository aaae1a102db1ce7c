"""Usage and ledgers for tests, written as workers and the clock write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from billing.models import Kind, LedgerEntry
from billing.months import month_of
from billing.services.usage import post_usage
from jobs.models import Batch, CorePrice, UsageRecord
from jobs.services.work import price_now
from tests.jobs.rows import make_batch

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def use(
    account: User,
    *run_ms: int,
    at: datetime = NOON,
    core_type: str = "c1",
    cores: int = 1,
    price_micros: int | None = None,
    **batch: Any,
) -> Batch:
    """A batch with a run of each of these lengths, begun at a time and brought in by a worker."""
    made = make_batch(account, core_type=core_type, cores=cores, created_at=at, **batch)
    price = price_now(core_type) if price_micros is None else price_micros
    taken = UsageRecord.objects.filter(account=account).count()
    UsageRecord.objects.bulk_create(
        UsageRecord(
            account=account, jid=taken + n + 1, batch_id=made.pk, attempt=1, core_type_id=core_type, cores=cores,
            price_micros=price, started_at=at, run_ms=length,
        )
        for n, length in enumerate(run_ms)
    )  # fmt: skip
    return made


def charged(account: User, **fields: Any) -> Decimal:
    """Dollars that the ledger has of an account, after the clock has been there."""
    post_usage()
    return sum((entry.amount for entry in LedgerEntry.objects.filter(account=account, **fields)), Decimal(0))


def cents(amount: Decimal, digits: str = "0.01") -> Decimal:
    return amount.quantize(Decimal(digits))


def lines(account: User) -> Sequence[tuple[str, int, str]]:
    """(hour, runs, label) of the compute lines, oldest first."""
    rows = LedgerEntry.objects.filter(account=account, kind=Kind.COMPUTE).order_by("at", "pk")
    return [(f"{row.at:%d %H:%M}", row.runs, row.label) for row in rows]


def set_price(core_type: str, price: str, since: datetime) -> None:
    CorePrice.objects.create(core_type_id=core_type, per_core_hour=Decimal(price), effective_from=since)


MARCH = month_of(NOON)
