"""What estimates add to pages about jobs."""

from django import template

from jobs.models import Batch, Job
from realtime.capacity.estimate import Range
from realtime.capacity.tags import Amount, Tag, Verdict
from realtime.display import words
from realtime.selectors import tags

register = template.Library()


@register.simple_tag
def tag_of_job(job: Job) -> Tag | None:
    """What a job that has not ended is expected to take and to cost."""
    return None if job.is_finished else tags.tag_of_batch(job.batch, count=1)


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
