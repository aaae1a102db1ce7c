"""Filters and tags of all our templates."""

import zoneinfo
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from django import template
from django.template.defaultfilters import stringfilter
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from common.money import format_dollars
from common.text import make_visible, terminal_text
from common.times import format_duration

register = template.Library()

KILO = 1000
UNITS = ("B", "kB", "MB", "GB", "TB")
DASH = "–"

register.filter("visible", stringfilter(make_visible))
register.filter("terminal", stringfilter(terminal_text))


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """A picture of static/icons.svg, for eyes only: the word beside it is what is read out."""
    return format_html(
        '<svg class="icon {}" width="16" height="16" aria-hidden="true"><use href="{}#{}"></use></svg>',
        css,
        static("icons.svg"),
        name,
    )


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A timedelta, or a number of milliseconds, in at most two units."""
    if value is None or isinstance(value, timedelta):
        return format_duration(value)
    return format_duration(timedelta(milliseconds=value))


@register.filter
def dollars(value: Decimal | None) -> str:
    return DASH if value is None else format_dollars(value)


@register.filter
def price(value: Decimal | None) -> str:
    """A price as it was set, with all its digits and at least two."""
    if value is None:
        return DASH
    exact = value.normalize()
    exponent = exact.as_tuple().exponent
    return f"${exact:,.{max(2, -exponent if isinstance(exponent, int) else 2)}f}"


@register.filter
def hours(value: Decimal | None) -> str:
    """Compute hours with enough digits that a non-zero amount never reads as zero."""
    if value is None:
        return DASH
    digits = 2 if value == 0 or value >= 1 else max(2, 1 - value.adjusted())
    return f"{value:,.{digits}f}"


@register.filter
def count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


@register.filter
def size(value: float | None) -> str:
    """Bytes in decimal units, three significant digits: 812 B, 24.1 MB."""
    if value is None:
        return DASH
    amount, unit = float(value), 0
    while amount >= KILO - 0.5 and unit < len(UNITS) - 1:
        amount, unit = amount / KILO, unit + 1
    digits = 0 if unit == 0 or amount >= 100 else 1
    return f"{amount:.{digits}f} {UNITS[unit]}"


def relative(moment: datetime, now: datetime) -> str:
    """A moment as people say it: just now, 4 min ago, 3 h ago, then the date."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return f"{timezone.localtime(moment):%-d %b %H:%M}"
    if seconds < 10:
        return "just now"
    for limit, unit, word in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        if seconds < limit:
            return f"{int(seconds // unit)} {word} ago"
    local = timezone.localtime(moment)
    return f"{local:%-d %b}" if local.year == timezone.localtime(now).year else f"{local:%-d %b %Y}"


def absolute(moment: datetime) -> str:
    """A moment to the second in the reader's zone, with the zone's name."""
    local = timezone.localtime(moment)
    zone = local.tzinfo.key if isinstance(local.tzinfo, zoneinfo.ZoneInfo) else local.tzname()
    return f"{local:%Y-%m-%d %H:%M:%S} {zone}"


@register.filter
def clock(moment: datetime | None) -> str:
    """The moment to the millisecond, for stories of a few seconds."""
    if moment is None:
        return DASH
    local = timezone.localtime(moment)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A time element: relative to read, absolute on hover; static/js/times.js keeps it true."""
    if moment is None:
        return DASH
    words = relative(moment, timezone.now())
    return mark_safe(  # noqa: S308 - times and the names of zones
        f'<time datetime="{moment.isoformat()}" title="{absolute(moment)}" data-relative>{words}</time>'
    )
