"""Parts of a row that stand fifty times on a page: as tags, because an included template costs ten times more."""

from functools import lru_cache
from html import escape

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from common.money import format_dollars
from common.templatetags.picloud import duration, icon, size
from common.text import make_visible
from common.times import format_duration
from jobs.display.bars import Bar
from jobs.display.looks import Look
from jobs.display.rows import Row
from jobs.models import Function

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def badge(look: Look, css: str = "") -> SafeString:
    """A status as mark and words."""
    because = format_html(' <span class="because">· {}</span>', look.because) if look.because else ""
    return format_html(
        '<span class="status is-{} {}">{}<span>{}{}</span></span>', look.mark, css, icon(look.mark), look.word, because
    )


@register.simple_tag
def bar(drawn: Bar) -> SafeString:
    """The bar of a map, with its numbers as words for who cannot see it."""
    rects = "".join(
        f'<rect class="fill-{segment.status}" x="{segment.x}" width="{segment.width}" height="8"></rect>'
        for segment in drawn.segments
    )
    return mark_safe(  # noqa: S308 - numbers and words of ours
        f'<svg class="bar" width="{drawn.width}" height="8" viewBox="0 0 {drawn.width} 8" role="img"'
        f' aria-label="{drawn.words}"><title>{drawn.words}</title>{rects}</svg>'
    )


@register.simple_tag
def function_name(function: Function) -> SafeString:
    """The name of a function with its module greyed."""
    name = escape(make_visible(function.name))
    if not function.module:
        return mark_safe(name)  # noqa: S308 - escaped
    module = escape(make_visible(function.module))
    return mark_safe(  # noqa: S308 - escaped
        f'<span class="function-name"><span class="dim">{module}.</span><span>{name}</span></span>'
    )


@register.simple_tag
def ran(row: Row) -> SafeString:
    """How long it ran; while it runs, a number that static/js/times.js counts on."""
    words = format_duration(row.ran)
    if row.meter.since is None:
        return mark_safe(words)  # noqa: S308 - ours
    return mark_safe(f'<span data-since="{row.meter.since.isoformat()}">{words}</span>')  # noqa: S308 - ours


@register.simple_tag
def cost(row: Row) -> SafeString:
    """What it costs; while it runs, a number that static/js/times.js counts on."""
    words = format_dollars(row.cost)
    if row.meter.since is None:
        return mark_safe(words)  # noqa: S308 - ours
    since = row.meter.since.isoformat()
    return mark_safe(  # noqa: S308 - ours
        f'<span data-cost-since="{since}" data-rate="{row.meter.dollars_per_ms}">{words}</span>'
    )


@register.simple_tag
def figures(row: Row) -> SafeString:
    """The four cells of numbers at the end of a row."""
    title = ' title="All runs together"' if row.bar else ""
    return mark_safe(  # noqa: S308 - numbers and words of ours
        f'<td class="num waited soft">{duration(row.waited)}</td><td class="num ran"{title}>{ran(row)}</td>'
        f'<td class="num cost">{cost(row)}</td><td class="num memory soft">{size(row.memory_peak)}</td>'
    )
