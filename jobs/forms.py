"""What people may ask of the jobs panel, turned into values or into a sentence."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from common.exceptions import Refused
from jobs.display.looks import WORDS
from jobs.selectors.filters import BatchFilters

MOST_SELECTED = 500
BIGGEST = 2**63 - 1


class FilterForm(forms.Form):
    """The filters of the panel, as they stand in its address."""

    text = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(required=False, choices=[("", "Any status"), *((s.value, w) for s, w in WORDS.items())])
    function = forms.CharField(required=False, max_length=401)
    label = forms.CharField(required=False, max_length=200)
    type = forms.ChoiceField(required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def __init__(self, *args: Any, core_types: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"] = forms.ChoiceField(
            required=False, choices=[("", "Any core"), *((code, code) for code in core_types)]
        )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day is before the first: swap them.")
        return cleaned

    def filters(self) -> BatchFilters:
        """What was understood; a value with an error does not filter, and the page shows the error."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        since, until = given.pop("since", None), given.pop("until", None)
        last_day = until and until < date.max
        return BatchFilters(
            **given,
            since=midnight(since) if since else None,
            until=midnight(until + timedelta(days=1)) if last_day else None,
        )


def midnight(day: date) -> datetime:
    """The first moment of the day in the reader's zone."""
    # The first day of all began, east of Greenwich, before the time that can be told.
    return timezone.make_aware(datetime.combine(max(day, date(2, 1, 1)), time.min))


def number_of(text: str, *, name: str) -> int:
    """A row or job number out of an address. Raises Refused for anything else."""
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > BIGGEST:
        raise Refused("bad_number", f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)


def numbers_of(texts: list[str], *, name: str) -> list[int]:
    """Several numbers, each given by itself or in lists with commas. Raises Refused, also when they are too many."""
    parts = [part for text in texts for part in text.split(",") if part]
    if len(parts) > MOST_SELECTED:
        raise Refused("too_many", f"{len(parts)} were named; {MOST_SELECTED} at a time is the limit.")
    return [number_of(part, name=name) for part in parts]
