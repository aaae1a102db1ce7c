"""What people type about crons, turned into values or into a sentence beside the field."""

from collections.abc import Callable
from typing import Any

from django import forms

from common.exceptions import Refused
from crons.models import DEFAULT_GRACE_S
from crons.states import CatchUp, Overlap
from crons.terms import Terms, check_grace, check_label, check_schedule

OVERLAP_WORDS = [
    (Overlap.ALLOW, "Run beside it"),
    (Overlap.SKIP, "Skip the new run"),
    (Overlap.REPLACE, "Kill the earlier run"),
]
CATCH_UP_WORDS = [
    (CatchUp.LAST, "Run the last one missed"),
    (CatchUp.NONE, "Run none of them"),
    (CatchUp.ALL, "Run all of them, up to a limit"),
]


def checked(check: Callable[[Any], Any], value: object) -> Any:
    """The value as the service would take it; what it would refuse stands beside the field."""
    try:
        return check(value)
    except Refused as refusal:
        raise forms.ValidationError(refusal.message) from refusal


class ScheduleForm(forms.Form):
    """When a cron runs. Once valid, `parsed` is the schedule."""

    schedule = forms.CharField(
        label="Schedule",
        help_text="Minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    timezone = forms.CharField(
        label="Time zone",
        help_text="Whose wall clock the schedule is read on, such as Europe/Berlin.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "zones"}),
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "schedule" in data and "timezone" in data:
            try:
                self.parsed = check_schedule(data["schedule"], data["timezone"])
            except Refused as refusal:
                self.add_error("timezone" if refusal.code == "unknown_zone" else "schedule", refusal.message)
        return data


class OptionsForm(forms.Form):
    """How a cron behaves when things do not go as planned."""

    overlap = forms.ChoiceField(label="When an earlier run is unfinished", choices=OVERLAP_WORDS)
    catch_up = forms.ChoiceField(label="After a downtime of this server", choices=CATCH_UP_WORDS)
    start_grace = forms.FloatField(
        label="Minutes to start within",
        help_text="A run that has not started by then is late, and its owner is told.",
        widget=forms.NumberInput(attrs={"min": "0.02", "step": "any"}),
    )

    def clean_start_grace(self) -> int:
        """In seconds."""
        minutes: float = self.cleaned_data["start_grace"]
        seconds = round(minutes * 60) if abs(minutes) < 1e9 else -1
        return int(checked(check_grace, seconds))


class FromJobForm(OptionsForm, ScheduleForm):
    """A cron out of a job. `taken` are labels that would be replaced: that has to be said yes to."""

    label = forms.CharField(
        label="Label",
        help_text="Names the cron; its jobs carry it too.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    replace = forms.BooleanField(label="Replace the cron that has this label", required=False)
    field_order = ("label", "schedule", "timezone", "overlap", "catch_up", "start_grace")

    def __init__(self, *args: Any, taken: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken
        self.must_replace = False

    def clean_label(self) -> str:
        return str(checked(check_label, self.cleaned_data["label"]))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if "label" in data and self.taken(data["label"]):
            self.must_replace = True
            if not data.get("replace"):
                self.add_error("label", "There is a cron of this label: choose another, or say below to replace it.")
        return data

    def terms(self) -> Terms:
        """Of a valid form."""
        data = self.cleaned_data
        return Terms(
            label=data["label"],
            schedule=self.parsed,
            overlap=Overlap(data["overlap"]),
            catch_up=CatchUp(data["catch_up"]),
            start_grace_s=data["start_grace"],
        )


DEFAULTS = {"overlap": Overlap.ALLOW, "catch_up": CatchUp.LAST, "start_grace": f"{DEFAULT_GRACE_S / 60:g}"}
