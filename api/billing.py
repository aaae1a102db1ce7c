"""Money over HTTP: a month and what it was for, the lines of the ledger, statements, prices. All of it is only read."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.utils import timezone

from api.auth import Caller
from api.crons import limit_of
from api.errors import api_view
from billing.display.export import csv_of, row_of
from billing.forms import asked_month, asked_names
from billing.months import month_of, parse_month
from billing.selectors import entries, months, rates, statements
from billing.selectors.months import Line, Sums
from jobs.forms import number_of


def _sums(sums: Sums) -> dict[str, Any]:
    """Amounts are text, because they are exact."""
    return {"cost": f"{sums.amount:f}", "core_hours": f"{sums.core_hours:f}", "runs": sums.runs}


def _line(line: Line) -> dict[str, Any]:
    return {"name": line.name if line.name != "" else None, "note": line.note or None, **_sums(line)}


@api_view("GET")
def month(request: HttpRequest, caller: Caller) -> JsonResponse:
    now = timezone.now()
    asked = asked_month(request.GET, now)
    present = asked == month_of(now)
    cuts = {column: months.cut_by(caller.account, asked, column) for column in months.CUTS}
    return JsonResponse(
        {
            "month": str(asked),
            **_sums(months.total_of(caller.account, asked)),
            "forecast": f"{months.forecast_of(caller.account, now):f}" if present else None,
            "kinds": [
                {"kind": line.kind, "core_type": line.core_type or None, **_sums(line)}
                for line in months.kinds_of(caller.account, asked)
            ],
            "days": _days(months.series_of(caller.account, asked)),
            "by": {column: [_line(line) for line in table.lines] for column, table in cuts.items()},
            "others": {column: _sums(table.others) if table.others else None for column, table in cuts.items()},
        }
    )


def _days(series: Sequence[months.Series]) -> dict[str, list[str]]:
    return {one.name: [f"{amount:f}" for amount in one.amounts] for one in series}


@api_view("GET")
def entry_list(request: HttpRequest, caller: Caller) -> JsonResponse:
    before = request.GET.get("before")
    page = entries.entry_page(
        caller.account,
        asked_month(request.GET, timezone.now()),
        names=asked_names(request.GET),
        before=number_of(before, name="before") if before else None,
        limit=limit_of(request),
    )
    return JsonResponse({"entries": [row_of(entry) for entry in page.entries], "next": page.before})


@api_view("GET")
def statement_list(request: HttpRequest, caller: Caller) -> JsonResponse:
    found = statements.statements_of(caller.account)
    rows = [
        {
            "month": str(row.period),
            "closed": row.closed_at.isoformat(),
            "cost": f"{row.amount:f}",
            "entries": row.entries,
        }
        for row in found
    ]
    return JsonResponse({"statements": rows})


@api_view("GET")
def statement(request: HttpRequest, caller: Caller, month: str) -> JsonResponse:
    bill = statements.bill_for(caller.account, parse_month(month))
    return JsonResponse(
        {
            "month": str(bill.month),
            "account": bill.username,
            "closed": bill.closed_at.isoformat() if bill.closed_at else None,
            **_sums(bill.total),
            "entries": bill.entries,
            "lines": [_bill_line(line) for line in bill.lines],
            "by": {column: [_line(line) for line in lines] for column, lines in bill.tables.items()},
        }
    )


def _bill_line(line: statements.BillLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "core_type": line.core_type or None,
        "reservation": line.reservation,
        "quantity": f"{line.quantity:f}" if line.unit else None,
        "unit": line.unit or None,
        "price": None if line.price is None else f"{line.price:f}",
        "note": line.note or None,
        **_sums(line),
    }


@api_view("GET")
def statement_csv(request: HttpRequest, caller: Caller, month: str) -> StreamingHttpResponse:
    found = parse_month(month)
    headers = {"Content-Disposition": f'attachment; filename="picloud-{found}.csv"'}
    rows = csv_of(entries.export_of(caller.account, found))
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)


@api_view("GET")
def rate_list(request: HttpRequest, _caller: Caller) -> JsonResponse:
    found = [*rates.core_rates(), *rates.other_rates()]
    return JsonResponse({"rates": [{"name": rate.name, "prices": _prices(rate)} for rate in found]})


def _prices(rate: rates.Priced) -> list[dict[str, Any]]:
    return [
        {
            "dollars": f"{price.amount.normalize():f}",
            "reserved": None if price.reserved is None else f"{price.reserved.normalize():f}",
            "since": price.since.isoformat(),
            "until": price.until.isoformat() if price.until else None,
        }
        for price in rate.prices
    ]
