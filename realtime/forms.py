"""What people type about cores, turned into values or into a sentence beside the field."""

from typing import Any

from django import forms

from common.exceptions import Refused
from crons.forms import checked
from realtime.selectors.quote import Offer
from realtime.terms import (
    Terms,
    WindowTerms,
    check_core_type,
    check_cores,
    check_hours,
    check_key,
    check_start,
    check_weekly,
)
from realtime.weekly import DAYS

NUMBER = forms.NumberInput(attrs={"min": "1", "step": "1", "inputmode": "numeric"})


def hours_field(**settings: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label="Maximum duration, in hours",
        required=False,
        help_text="It ends by itself after so many hours of being ready. Empty: when you release it.",
        widget=NUMBER,
        **settings,
    )


class CoresForm(forms.Form):
    """A core type and a number of cores, checked as the service would."""

    core_type = forms.ChoiceField(label="Core type")
    cores = forms.IntegerField(label="Cores", widget=NUMBER)

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(offer.core_type.code, _label(offer)) for offer in offers]
        self.fields["core_type"] = forms.ChoiceField(label="Core type", choices=choices)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "core_type" in data and "cores" in data:
            try:
                check_cores(data["cores"], check_core_type(data["core_type"]))
            except Refused as refusal:
                self.add_error("cores", refusal.message)
        return data


def _label(offer: Offer) -> str:
    core_type = offer.core_type
    units = f"{core_type.compute_units.normalize():f} unit{'' if core_type.compute_units == 1 else 's'}"
    return f"{core_type.code}: {units}, {core_type.memory_mb:,} MB"


class RequestForm(CoresForm):
    """A request for cores. `request_key` tells it from the next one, so that sending it twice asks once."""

    max_hours = hours_field()
    starts_at = forms.DateTimeField(
        label="Start",
        required=False,
        help_text="When the cores are to be ready, in your time zone. Empty: as soon as can be.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    request_key = forms.CharField(widget=forms.HiddenInput)

    def clean_max_hours(self) -> int | None:
        hours: int | None = checked(check_hours, self.cleaned_data["max_hours"])
        return hours

    def clean_starts_at(self) -> Any:
        return checked(check_start, self.cleaned_data["starts_at"])

    def clean_request_key(self) -> Any:
        return checked(check_key, self.cleaned_data["request_key"])

    def terms(self) -> Terms:
        """Of a valid form."""
        data = self.cleaned_data
        return Terms(
            core_type=data["core_type"], cores=data["cores"], max_hours=data["max_hours"], starts_at=data["starts_at"]
        )


class DurationForm(forms.Form):
    """Another maximum duration of a reservation."""

    max_hours = hours_field()

    def clean_max_hours(self) -> int | None:
        hours: int | None = checked(check_hours, self.cleaned_data["max_hours"])
        return hours


class WindowForm(CoresForm):
    """Cores in the same hours of every week."""

    weekdays = forms.TypedMultipleChoiceField(
        label="Days",
        coerce=int,
        choices=list(enumerate(DAYS)),
        widget=forms.CheckboxSelectMultiple,
    )
    begins = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(
        label="To",
        help_text="On the next day when it is not after the beginning.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    timezone = forms.CharField(
        label="Time zone",
        help_text="Whose wall clock is meant, such as Europe/Berlin.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "zones"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors:
            try:
                self.weekly = check_weekly(
                    weekdays=data["weekdays"], begins=data["begins"], ends=data["ends"], zone=data["timezone"]
                )
            except Refused as refusal:
                self.add_error("timezone" if refusal.code == "unknown_zone" else "ends", refusal.message)
        return data

    def terms(self) -> WindowTerms:
        """Of a valid form."""
        data = self.cleaned_data
        return WindowTerms(core_type=data["core_type"], cores=data["cores"], weekly=self.weekly)
