"""Parts of pages about crons: strips, the calendar, times to come."""

from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from common.templatetags.picloud import DASH, absolute
from crons.display import heat as calendar
from crons.display import strip as strips
from crons.models import CronRun
from crons.selectors import job_runs
from crons.states import Mark
from jobs.models import Job

register = template.Library()


def until(moment: datetime, now: datetime) -> str:
    """How far off a moment is, in at most two units; static/js/times.js says the same."""
    seconds = int((moment - now).total_seconds())
    if seconds <= 0:
        return "now"
    if seconds < 60:
        return f"in {seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"in {minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"in {hours} h {minutes:02} m"
    days, hours = divmod(hours, 24)
    return f"in {days} d {hours:02} h"


@register.filter
def countdown(moment: datetime | None) -> SafeString | str:
    """A moment to come as a time that counts down, absolute on hover."""
    if moment is None:
        return DASH
    words = until(moment, timezone.now())
    return mark_safe(  # noqa: S308 - times and the names of zones
        f'<time datetime="{moment.isoformat()}" title="{absolute(moment)}" data-until>{words}</time>'
    )


@register.filter
def on_clock(moment: datetime | None, zone: ZoneInfo | None = None) -> str:
    """A moment as the wall clock of a zone shows it, by default the reader's: Fri 27 Nov 2026 09:05 CET."""
    if moment is None:
        return DASH
    local = timezone.localtime(moment, zone)
    return f"{local:%a %-d %b %Y %H:%M} {local.tzname()}"


@register.filter
def act_of(name: str) -> str:
    """The name of an event in words: cron.state_changed is "state changed"."""
    return name.removeprefix("cron.").replace("_", " ")


@register.filter
def clock_change(forward: timedelta) -> str:
    """What clocks do on a day, or nothing on most."""
    if not forward:
        return ""
    minutes = abs(forward) // timedelta(minutes=1)
    amount = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return f"clocks go {'forward' if forward > timedelta() else 'back'} {amount}"


def _mark(place: strips.Place) -> str:
    return (
        f'<path class="mark-{place.kind}" fill-rule="evenodd" d="{place.path}">'
        f"<title>{escape(place.words)}</title></path>"
    )


@register.simple_tag
def strip(drawn: strips.Strip) -> SafeString:
    """The strip of a cron, with a summary for who cannot see it."""
    ground = f'<path class="mark-none" d="M0 {strips.HEIGHT - 0.5}H{drawn.width}"></path>'
    marks = "".join(_mark(place) for place in drawn.places)
    return mark_safe(  # noqa: S308 - numbers and words of ours
        f'<svg class="strip" width="{drawn.width}" height="{strips.HEIGHT}" viewBox="0 0 {drawn.width} '
        f'{strips.HEIGHT}" role="img" aria-label="{escape(drawn.words)}">{ground}{marks}</svg>'
    )


@register.simple_tag
def strip_legend() -> SafeString:
    items = "".join(
        f'<li><svg width="5" height="{strips.HEIGHT}" aria-hidden="true"><path class="mark-{place.kind}" '
        f'fill-rule="evenodd" d="{place.path}"></path></svg>{place.words}</li>'
        for place in map(strips.sample_of, Mark)
    )
    return mark_safe(f'<ul class="legend">{items}</ul>')  # noqa: S308 - ours


def _cell(cell: calendar.Cell) -> str:
    over = f'<path class="over-{cell.kind}" d="{cell.over}"></path>' if cell.over else ""
    return (
        f'<g><title>{escape(cell.words)}</title><rect class="day-{cell.kind}" x="{cell.x}" y="{cell.y}" '
        f'width="{calendar.CELL}" height="{calendar.CELL}" rx="2"></rect>{over}</g>'
    )


@register.simple_tag
def heat(drawn: calendar.Heat) -> SafeString:
    """The calendar of a cron, with a summary for who cannot see it."""
    months = "".join(f'<text x="{x}" y="10">{word}</text>' for x, word in drawn.months)
    names = "".join(
        f'<text x="0" y="{calendar.TOP + n * calendar.PITCH + 9}">{name}</text>'
        for n, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))
    )
    cells = "".join(map(_cell, drawn.cells))
    return mark_safe(  # noqa: S308 - numbers and words of ours
        f'<svg class="heat" width="{drawn.width}" height="{drawn.height}" viewBox="0 0 {drawn.width} {drawn.height}" '
        f'role="img" aria-label="{escape(drawn.words)}">{months}{names}{cells}</svg>'
    )


@register.simple_tag
def heat_legend() -> SafeString:
    items = "".join(
        f'<li><svg class="heat" width="{calendar.CELL}" height="{calendar.CELL}" aria-hidden="true">'
        f"{_cell(calendar.sample_of(kind))}</svg>{words}</li>"
        for kind, words in calendar.KINDS.items()
    )
    return mark_safe(f'<ul class="legend">{items}</ul>')  # noqa: S308 - ours


@register.simple_tag
def cron_run_of(job: Job) -> CronRun | None:
    """The run of a cron that a job is, if it is one."""
    return job_runs([job]).get(job.pk) if job.batch.label.startswith("cron_") else None
