"""The jobs panel: its page, and the rows that the page asks for while it is open."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from jobs.display.rows import Row, row_of_job, rows_of
from jobs.forms import FilterForm, number_of, numbers_of
from jobs.models import Batch
from jobs.selectors import panel
from jobs.selectors.filters import BatchFilters
from jobs.views.requests import PageRequest


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the address of the same page without it."""

    name: str
    value: str
    without: str


def _chips(form: FilterForm, query: QueryDict) -> list[Chip]:
    chips = []
    for name in form.fields:
        value = query.get(name, "").strip()
        if not value or name in form.errors:
            continue
        rest = query.copy()
        for key in (name, "before", "after", "expand"):
            rest.pop(key, None)
        chips.append(Chip(name, value, f"?{rest.urlencode()}"))
    return chips


def _cursor(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    return number_of(text, name=name) if text else None


def _rows(request: PageRequest, batches: list[Batch]) -> list[Row]:
    return rows_of(batches, jobs=panel.single_jobs(account=request.user, batches=batches))


def _filters(request: PageRequest) -> tuple[FilterForm, BatchFilters]:
    form = FilterForm(request.GET, core_types=panel.core_types())
    return form, form.filters()


@vary_on_headers("HX-Request", "HX-Target")
@login_required
@require_GET
def job_list(request: PageRequest) -> HttpResponse:
    """One page of the panel. htmx gets only the part below the filters."""
    form, filters = _filters(request)
    page = panel.batch_page(
        account=request.user,
        filters=filters,
        before=_cursor(request.GET, "before"),
        after=_cursor(request.GET, "after"),
    )
    context = {
        "form": form,
        "filters": filters,
        "chips": _chips(form, request.GET),
        "page": page,
        "rows": _rows(request, page.batches),
        "expanded": _expanded(request),
        "today_iso": timezone.localdate().isoformat(),
        "is_newest": page.newer is None and "after" not in request.GET,
    }
    part = request.htmx and request.htmx.target == "jobs"
    return render(request, "jobs/_panel.html" if part else "jobs/list.html", context)


def _expanded(request: PageRequest) -> dict[str, object]:
    """The map that the address asks to be open: the way to see inside without script."""
    if not request.GET.get("expand"):
        return {}
    batch = panel.batch_for(account=request.user, batch_id=number_of(request.GET["expand"], name="expand"))
    return _children(batch, after=0)


def _children(batch: Batch, *, after: int) -> dict[str, object]:
    page = panel.job_page(batch=batch, after=after)
    now = timezone.now()
    rows = [row_of_job(job, batch=batch, now=now) for job in page.jobs]
    return {"batch": batch, "children": rows, "after": page.after}


@login_required
@require_GET
def job_rows(request: PageRequest) -> HttpResponse:
    """Rows again: those of `ids` as they are now, or with `batch` the jobs of a map from `after` on.

    With `newer_than` the answer also names the batches above that one that the filters let through.
    """
    if "batch" in request.GET:
        batch = panel.batch_for(account=request.user, batch_id=number_of(request.GET["batch"], name="batch"))
        children = _children(batch, after=_cursor(request.GET, "after") or 0)
        return render(request, "jobs/_children.html", children)
    batches = panel.batches_by_id(account=request.user, ids=numbers_of(request.GET.getlist("ids"), name="ids"))
    top = _cursor(request.GET, "newer_than")
    newer = (
        panel.batch_page(account=request.user, filters=_filters(request)[1], after=top).batches
        if top is not None
        else []
    )
    new = [batch.pk for batch in newer]
    return render(request, "jobs/_rows.html", {"rows": _rows(request, batches), "new": new})
