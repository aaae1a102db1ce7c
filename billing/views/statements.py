"""Statements of months, and the ledger as a file."""

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing.display.export import csv_of, json_of
from billing.display.tables import statement_tables
from billing.months import month_of, parse_month
from billing.selectors.entries import export_of
from billing.selectors.months import total_of
from billing.selectors.statements import bill_for, statements_of
from billing.services.statements import CLOSED_AFTER
from jobs.views.requests import PageRequest


@login_required
@require_GET
def statement_list(request: PageRequest) -> HttpResponse:
    month = month_of(timezone.now())
    context = {"statements": statements_of(request.user), "present": month, "total": total_of(request.user, month)}
    return render(request, "billing/statements.html", context)


@login_required
@require_GET
def statement_detail(request: PageRequest, month: str) -> HttpResponse:
    bill = bill_for(request.user, parse_month(month))
    context = {"bill": bill, "tables": statement_tables(bill), "closes_at": bill.month.end + CLOSED_AFTER}
    return render(request, "billing/statement.html", context)


@login_required
@require_GET
def statement_csv(request: PageRequest, month: str) -> StreamingHttpResponse:
    found = parse_month(month)
    return _file(csv_of(export_of(request.user, found)), f"picloud-{found}.csv", "text/csv; charset=utf-8")


@login_required
@require_GET
def statement_json(request: PageRequest, month: str) -> StreamingHttpResponse:
    found = parse_month(month)
    head = {"account": request.user.get_username(), "month": str(found)}
    return _file(json_of(head, export_of(request.user, found)), f"picloud-{found}.json", "application/json")


def _file(parts: Iterator[str], name: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)
