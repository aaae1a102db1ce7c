"""What the operator pays for machines, beside what accounts pay for using them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, Sum

from billing.months import Month
from billing.selectors.months import Sums
from common.money import MICROS_PER_DOLLAR
from jobs.models import Dedication, Job
from jobs.states import Status
from realtime.models import Host

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """A month of the installation's machines. Without a machine that has a price, there is nothing to compare with."""

    charged: Decimal
    paid: Decimal
    machines: int
    has_prices: bool

    @property
    def amount(self) -> Decimal:
        return self.charged - self.paid

    @property
    def percent(self) -> int | None:
        """Of what was charged."""
        return round(self.amount / self.charged * 100) if self.charged else None


def margin_of(month: Month, total: Sums, now: datetime) -> Margin:
    """What machines have cost in a month, each for the part of it in which it was paid for."""
    end = min(month.end, now)
    there = Q(gone_at__isnull=True) | Q(gone_at__gt=month.start)
    hosts = list(
        Host.objects.filter(there, launched_at__lt=end).only("launched_at", "gone_at", "price_micros_per_hour")
    )
    micros = Decimal(0)
    for host in hosts:
        used = min(host.gone_at or end, end) - max(host.launched_at, month.start)
        micros += host.price_micros_per_hour * Decimal(str(max(used, timedelta()) / HOUR))
    return Margin(
        charged=total.amount,
        paid=micros / MICROS_PER_DOLLAR,
        machines=len(hosts),
        has_prices=any(host.price_micros_per_hour for host in hosts),
    )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Reserved cores that stand ready now, and how many of them run something."""

    ready: int
    busy: int

    @property
    def idle(self) -> int:
        return max(0, self.ready - self.busy)


def reserved_now() -> Standing:
    """What the reserved cores of all accounts do at this moment."""
    running = Job.objects.filter(status=Status.PROCESSING, worker__in=Dedication.objects.values("worker"))
    return Standing(ready=Dedication.objects.count(), busy=running.aggregate(cores=Sum("cores"))["cores"] or 0)
