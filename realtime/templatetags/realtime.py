"""What estimates add to pages about jobs."""

from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from common.templatetags.picloud import DASH
from jobs.models import Batch, Job
from realtime.capacity.estimate import Range
from realtime.capacity.tags import Amount, Tag, Verdict
from realtime.display import words
from realtime.display.load import BAR, HEIGHT, LEFT, PITCH, Bar, Chart
from realtime.selectors import tags
from realtime.selectors.waiting import Queue, Waiting

register = template.Library()


def _load_bar(bar: Bar) -> str:
    expected = ""
    if bar.expected_at is not None:
        expected = f'<path class="expected" d="M{bar.x - 2} {bar.expected_at}h{BAR + 4}"></path>'
    return (
        f'<g class="load-{bar.kind}"><title>{escape(bar.words)}</title>'
        f'<rect class="room" x="{bar.x - 3}" width="{PITCH}" height="{HEIGHT}"></rect>'
        f'<rect class="came" x="{bar.x}" y="{bar.top}" width="{BAR}" height="{bar.came}"></rect>'
        f'<rect class="crons" x="{bar.x}" y="{bar.crons_top}" width="{BAR}" height="{bar.crons}"></rect>'
        f'{expected}<text x="{bar.x + BAR / 2}" y="{HEIGHT + 14}">{bar.hour}</text></g>'
    )


@register.simple_tag
def load_chart(drawn: Chart) -> SafeString:
    """Hours of load as bars, with a summary for who cannot see them; the table beside it has the numbers."""
    bars = "".join(map(_load_bar, drawn.bars))
    scale = (
        f'<text class="scale" x="{LEFT - 8}" y="10">{drawn.most_words}</text>'
        f'<text class="scale" x="{LEFT - 8}" y="{HEIGHT}">0</text>'
        f'<path class="ground" d="M{LEFT - 4} {HEIGHT}H{drawn.width}"></path>'
    )
    return mark_safe(  # noqa: S308 - numbers and words of ours
        f'<svg class="loads" width="{drawn.width}" height="{HEIGHT + 20}" viewBox="0 0 {drawn.width} {HEIGHT + 20}" '
        f'role="img" aria-label="{escape(drawn.words)}">{scale}{bars}</svg>'
    )


@register.filter
def cores(value: float | None) -> str:
    """Busy cores on average, as a number that never reads as none where there is some."""
    if value is None:
        return DASH
    return f"{value:,.2f}" if value == 0 or value >= 0.01 else f"{value:.1g}"


@register.simple_tag
def tag_of_job(job: Job) -> Tag | None:
    """What a job that has not ended is expected to take and to cost."""
    return None if job.is_finished else tags.tag_of_batch(job.batch, count=1)


@register.simple_tag
def why_waiting(job: Job) -> Waiting | None:
    """What a job that does not run yet waits for."""
    return None if job.is_finished else Queue(job.account_id).why(job)


@register.simple_tag
def verdict_on_job(job: Job) -> Verdict | None:
    return tags.verdict_on_job(job)


@register.simple_tag
def outlook_of(batch: Batch) -> tags.Outlook | None:
    return tags.outlook_of(batch)


@register.simple_tag
def verdict_on_batch(batch: Batch) -> Verdict | None:
    return tags.verdict_on_batch(batch)


@register.filter
def time_band(found: Range) -> str:
    return words.band(found)


@register.filter
def money_band(amount: Amount) -> str:
    return words.money_band(amount)


@register.filter
def seconds(value: float) -> str:
    return words.seconds(value)


@register.filter
def rests_on(found: Tag | Verdict) -> str:
    """What it rests on, in words."""
    source = found.estimate if isinstance(found, Tag) else found
    return words.rests_on(source.runs, source.basis)


@register.filter
def compared(verdict: Verdict) -> str:
    return words.verdict_words(verdict)
