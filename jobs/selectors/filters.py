"""The filters of the jobs panel, each answered by an index.

A filter may allow several values of one indexed column (the functions whose name contains a text).
Those are kept apart as *alternatives*: asking for `column IN (...)` newest first would sort every
match, while the newest few of each alternative are found at once.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from jobs.models import Batch, Function
from jobs.states import Status

# More than this many functions or labels that match a text are not searched; the page says so.
MOST_ALTERNATIVES = 100
# Labels looked through for a text, in alphabetical order.
MOST_LABELS = 1000
# Rows are numbered in about the order of their creation; two submits at once may swap.
NUMBERING_SLACK = 1000


@dataclass(frozen=True, kw_only=True)
class BatchFilters:
    """What to show of an account's batches. An empty value does not filter; `until` is exclusive."""

    status: str = ""
    label: str = ""
    function: str = ""
    type: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class Search:
    """Batches to look through: those of `base` that meet one of the `alternatives`.

    `with_status` is there when a status is asked for together with something else. It holds every
    batch with that status, and is read by the index of that status.
    """

    base: QuerySet[Batch]
    alternatives: list[dict[str, Any]]
    with_status: QuerySet[Batch] | None = None
    note: str = ""

    @property
    def any_alternative(self) -> Q:
        return reduce(or_, (Q(**alternative) for alternative in self.alternatives), Q())


def has_status(status: Status) -> RawSQL:
    """The condition of the partial index, word for word: a bound parameter would not be matched with it."""
    return RawSQL(f'"jobs_batch"."n_{status.value}" > 0', [], output_field=BooleanField())  # noqa: S611


def search_for(*, account: User, filters: BatchFilters) -> Search:
    """Turn filters into questions that the indexes of `Batch` answer."""
    base = Batch.objects.filter(_created(account=account, filters=filters), account=account)
    with_status = None
    if filters.status:
        base = base.filter(has_status(Status(filters.status)))
        with_status = base if filters.label or filters.type or filters.function or filters.text else None
    if filters.label:
        base = base.filter(label=filters.label)
    if filters.type:
        base = base.filter(core_type=filters.type)
    if filters.text.isdecimal():
        return Search(base=_only(base, account=account, jid=int(filters.text)), alternatives=[{}])
    alternatives, note = _alternatives(account=account, filters=filters)
    return Search(base=base, alternatives=alternatives, with_status=with_status, note=note)


def _alternatives(*, account: User, filters: BatchFilters) -> tuple[list[dict[str, Any]], str]:
    """The functions and labels that are meant, and a sentence when not all of them are searched."""
    functions = _functions_called(filters.function, account=account) if filters.function else None
    if not filters.text:
        return [{}] if functions is None else [{"function": f} for f in functions], ""
    with_text = _functions_containing(filters.text, account=account)
    labels, all_searched = labels_containing(filters.text, account=account)
    note = (
        ""
        if all_searched
        else f"Labels were searched among the first {MOST_LABELS:,} only; the label filter finds any."
    )
    if max(len(with_text), len(labels)) > MOST_ALTERNATIVES:
        note = f"More than {MOST_ALTERNATIVES} functions or labels contain this text: write more of it."
    with_text, labels = with_text[:MOST_ALTERNATIVES], labels[:MOST_ALTERNATIVES]
    if functions is None:
        return [{"function": f} for f in with_text] + [{"label": name} for name in labels], note
    by_name: list[dict[str, Any]] = [{"function": f} for f in functions if f in with_text]
    by_label = [{"function": f, "label": name} for f in functions if f not in with_text for name in labels]
    return by_name + by_label[:MOST_ALTERNATIVES], note


def _created(*, account: User, filters: BatchFilters) -> Q:
    """The dates, also as a range of row numbers, so that any index that ends in them serves."""
    rows = Batch.objects.filter(account=account)
    condition = Q()
    if filters.since:
        first = rows.filter(created_at__gte=filters.since).order_by("created_at").values_list("pk", flat=True).first()
        condition &= Q(created_at__gte=filters.since, pk__gte=(first or 0) - NUMBERING_SLACK)
    if filters.until:
        last = rows.filter(created_at__lt=filters.until).order_by("-created_at").values_list("pk", flat=True).first()
        condition &= Q(created_at__lt=filters.until, pk__lte=(last or 0) + NUMBERING_SLACK)
    return condition


def _only(base: QuerySet[Batch], *, account: User, jid: int) -> QuerySet[Batch]:
    """The one batch that holds this jid."""
    if jid >= 2**63:
        return base.none()
    batch = Batch.objects.filter(account=account, first_jid__lte=jid).order_by("-first_jid").first()
    if batch is None or batch.last_jid < jid:
        return base.none()
    return base.filter(pk=batch.pk)


def _functions_called(name: str, *, account: User) -> list[int]:
    """Functions of this name; `module.name` means the one in that module."""
    found = Q(name=name)
    module, dot, last = name.rpartition(".")
    if dot:
        found |= Q(module=module, name=last)
    return list(Function.objects.filter(found, account=account).values_list("pk", flat=True)[:MOST_ALTERNATIVES])


def _functions_containing(text: str, *, account: User) -> list[int]:
    found = Q(name__icontains=text) | Q(module__icontains=text)
    mine = Function.objects.filter(found, account=account).order_by("-pk")
    return list(mine.values_list("pk", flat=True)[: MOST_ALTERNATIVES + 1])


def labels_containing(text: str, *, account: User) -> tuple[list[str], bool]:
    """Distinct labels with this text, and whether all labels were looked at.

    Steps over the index from one label to the next, so it costs by labels and not by batches.
    """
    step = "SELECT MIN(label) FROM jobs_batch WHERE account_id = %s AND label > "
    sql = (
        f"WITH RECURSIVE seen(label, n) AS (SELECT ({step} ''), 1 UNION ALL "
        f"SELECT ({step} seen.label), n + 1 FROM seen WHERE seen.label IS NOT NULL AND n < %s) "
        "SELECT label FROM seen WHERE label IS NOT NULL"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [account.pk, account.pk, MOST_LABELS])
        labels = [row[0] for row in cursor.fetchall()]
    wanted = text.casefold()
    return [label for label in labels if wanted in label.casefold()], len(labels) < MOST_LABELS
