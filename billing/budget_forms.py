"""What people type about budgets, turned into values or into a sentence beside the field."""

from typing import Any

from django import forms

from billing.models import Action, Scope
from billing.terms import check_amount, check_name
from common.exceptions import Refused
from crons.forms import checked


class TermsForm(forms.Form):
    """What a budget allows, and what happens when it is spent."""

    amount = forms.CharField(
        label="Dollars a month",
        help_text="Months begin at midnight UTC.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    action = forms.ChoiceField(
        label="When it is spent",
        choices=Action.choices,
        help_text="Held jobs wait, and go on by themselves when the month is over.",
    )
    mails = forms.BooleanField(label="Mail me at 50, 80 and 100 %, and when it will not last", required=False)

    def clean_amount(self) -> str:
        text: str = self.cleaned_data["amount"]
        checked(check_amount, text)
        return text


class BudgetForm(TermsForm):
    """A new budget."""

    scope = forms.ChoiceField(label="For", choices=Scope.choices)
    name = forms.CharField(
        label="Label or cron",
        required=False,
        help_text="Exactly as it is written; empty for the whole account.",
        widget=forms.TextInput(attrs={"list": "names", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("scope", "name", "amount", "action", "mails")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "scope" in data and "name" in data:
            try:
                check_name(Scope(data["scope"]), data["name"])
            except Refused as refusal:
                self.add_error("name", refusal.message)
        return data
