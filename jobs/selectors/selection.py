"""What a person ticked in the panel, and what would become of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from jobs.display.rows import cost_of
from jobs.models import Job
from jobs.states import FINISHED, UNFINISHED


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Jobs chosen by batch or one by one, split by whether they are over."""

    unfinished: list[int]
    finished: list[int]
    cost_so_far: Decimal

    def __bool__(self) -> bool:
        return bool(self.unfinished or self.finished)


def _chosen(*, account: User, batches: Iterable[int], jids: Iterable[int]) -> QuerySet[Job]:
    return Job.objects.filter(Q(batch__in=list(batches)) | Q(jid__in=list(jids)), account=account)


def selection_of(*, account: User, batches: Iterable[int], jids: Iterable[int]) -> Selection:
    """The account's own jobs among those named; numbers of anybody else's are left out."""
    chosen = _chosen(account=account, batches=batches, jids=jids)
    running = chosen.filter(status__in=UNFINISHED, started_at__isnull=False)
    now = timezone.now()
    return Selection(
        unfinished=list(chosen.filter(status__in=UNFINISHED).order_by("jid").values_list("jid", flat=True)),
        finished=list(chosen.filter(status__in=FINISHED).order_by("jid").values_list("jid", flat=True)),
        cost_so_far=sum((cost_of(job, now=now) for job in running), Decimal(0)),
    )
