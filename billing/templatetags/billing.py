"""Parts of pages about money."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from billing.display.chart import Chart
from billing.months import Month

register = template.Library()

WORDS = {
    "kind": "For",
    "core_type": "Core type",
    "label": "Label",
    "function": "Function",
    "cron": "Cron",
    "api_key": "API key",
    "reservation": "Reservation",
}


@register.simple_tag
def month_chart(chart: Chart) -> SafeString:
    """The drawing of a month; pygal has escaped what stands in it."""
    return mark_safe(chart.svg)  # noqa: S308 - drawn by pygal


@register.simple_tag
def entries_url(month: Month, names: Mapping[str, object] | None = None) -> str:
    """The page of the lines of a month that have these names; one that is None or "" asks for lines without it."""
    query = {"month": str(month), **{name: "" if value is None else value for name, value in (names or {}).items()}}
    return f"{reverse('billing:entries')}?{urlencode(query)}"


@register.simple_tag
def jobs_url(month: Month, filters: Mapping[str, object]) -> str:
    """The jobs panel with a filter, for the days of a month."""
    return f"{reverse('jobs:list')}?{urlencode({**filters, 'since': month.first, 'until': month.last})}"


@register.filter
def on_hour(moment: datetime) -> str:
    """An hour of the ledger, which is kept in UTC."""
    return f"{moment.astimezone(UTC):%a %-d %b %H:00}"


@register.filter
def words_of_name(name: str) -> str:
    return WORDS[name]
