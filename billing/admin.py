"""Money for the operator: the ledger is shown, and corrected by further rows; prices are added and never changed."""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from billing.models import (
    Books,
    Brake,
    Budget,
    KeyHour,
    Kind,
    LedgerDay,
    LedgerEntry,
    LimitEvent,
    Rate,
    Reconciliation,
    SettledReservation,
    Statement,
    StorageDay,
)
from billing.services.brake import lift_brake
from billing.services.budgets import waive_budget
from billing.services.corrections import MAX_NOTE, check_amount, correct
from billing.services.rates import add_rate, check_rate
from common.admin import AnyAdmin, ReadOnlyAdmin, SearchByNumber
from common.exceptions import Refused
from common.money import format_dollars

# Generic for the type checker alone.
if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm


class CorrectionForm(AnyModelForm):
    """A line entered by hand: what is charged more, or with a minus given back."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in (Kind.CORRECTION, Kind.CREDIT)])
    amount = forms.DecimalField(label="Dollars", help_text="Below 0 it is given back, as a credit mostly is.")
    note = forms.CharField(max_length=MAX_NOTE, help_text="The statement shows it.")
    key = forms.CharField(widget=forms.HiddenInput, max_length=32, initial=lambda: uuid.uuid4().hex)

    class Meta:
        model = LedgerEntry
        fields = ("account", "kind", "note")

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        try:
            return check_amount(amount)
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal


@admin.register(LedgerEntry)
class LedgerEntryAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "at", "kind", "core_type", "function", "label", "jids", "runs", "dollars", "note")
    list_filter = ("kind", "core_type", "at")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of an entry, a batch or its first jid, or an account's name."
    number_fields = ("id", "batch_id", "first_jid")
    autocomplete_fields = ("account",)

    @admin.display(description="cost")
    def dollars(self, entry: LedgerEntry) -> str:
        return format_dollars(entry.amount)

    def has_add_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return request.user.has_perm("billing.add_ledgerentry")

    # What is there is only shown: the form is that of a new line.
    form = CorrectionForm

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ("account", "kind", "amount", "note", "key")

    def save_model(self, request: HttpRequest, obj: LedgerEntry, form: Any, change: bool) -> None:  # noqa: FBT001
        assert request.user.is_authenticated
        data = form.cleaned_data
        made = correct(
            account=data["account"],
            kind=data["kind"],
            amount=data["amount"],
            note=data["note"],
            key=data["key"],
            by=request.user,
        )
        obj.pk = made.pk
        obj.refresh_from_db()


@admin.register(LedgerDay)
class LedgerDayAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("day", "account", "kind", "core_type", "function", "label", "runs", "dollars")
    list_filter = ("kind", "core_type", "day")
    list_select_related = ("account",)
    search_fields = ("account__username",)

    @admin.display(description="cost")
    def dollars(self, row: LedgerDay) -> str:
        return format_dollars(row.amount)


class RateForm(AnyModelForm):
    price = forms.DecimalField(label="Price", help_text="Dollars for one unit.")

    class Meta:
        model = Rate
        fields = ("kind", "effective_from")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if {"kind", "price", "effective_from"} <= data.keys():
            try:
                check_rate(kind=data["kind"], price=data["price"], effective_from=data["effective_from"])
            except Refused as refusal:
                self.add_error("price" if refusal.code == "bad_price" else "effective_from", refusal.message)
        return data


@admin.register(Rate)
class RateAdmin(AnyAdmin):
    """Rates are added and never changed: what was charged does not change afterwards."""

    form = RateForm
    fields = ("kind", "price", "effective_from")
    list_display = ("kind", "price", "effective_from")
    list_filter = ("kind",)

    def save_model(self, _request: HttpRequest, obj: Rate, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.pk = add_rate(**{name: form.cleaned_data[name] for name in ("kind", "price", "effective_from")}).pk
        obj.refresh_from_db()

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(Statement)
class StatementAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("month", "account", "dollars", "entries", "closed_at")
    list_filter = ("month",)
    list_select_related = ("account",)
    search_fields = ("account__username",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        return super().get_queryset(request).defer("content")

    @admin.display(description="amount")
    def dollars(self, row: Statement) -> str:
        return format_dollars(row.amount)


@admin.register(StorageDay)
class StorageDayAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("day", "account", "bytes", "measured_at")
    list_filter = ("day",)
    list_select_related = ("account",)
    search_fields = ("account__username",)


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ("at", "is_well", "usage_rows", "usage_amount", "ledger_amount", "difference")

    @admin.display(boolean=True, description="difference 0")
    def is_well(self, row: Reconciliation) -> bool:
        return row.is_well


@admin.register(SettledReservation)
class SettledReservationAdmin(ReadOnlyAdmin):
    list_display = ("reservation",)


@admin.register(Books)
class BooksAdmin(ReadOnlyAdmin):
    list_display = ("id", "open_from")


class LimitAdmin(SearchByNumber, ReadOnlyAdmin):
    """Limits of accounts, which an operator can let go on."""

    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of the row, or an account's name."
    number_fields = ("id",)
    actions = ("let_go",)

    def has_let_go_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def let_one_go(self, row: Any, *, by: User) -> None:
        raise NotImplementedError

    @admin.action(description="Let the held jobs go on", permissions=["let_go"])
    def let_go(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset.select_related("account"))
        for row in rows:
            self.let_one_go(row, by=cast("User", request.user))
        self.message_user(request, f"{len(rows)} let their jobs go on.", messages.SUCCESS)


@admin.register(Budget)
class BudgetAdmin(LimitAdmin):
    list_display = ("id", "account", "scope", "name", "amount", "action", "mails", "said_percent", "waived_month")
    list_filter = ("scope", "action")

    def let_one_go(self, row: Budget, *, by: User) -> None:
        waive_budget(account=row.account, number=row.pk, by=by)


@admin.register(Brake)
class BrakeAdmin(LimitAdmin):
    list_display = ("id", "account", "api_key", "put_at", "sentence", "lifted_at", "lifted_by")

    def let_one_go(self, row: Brake, *, by: User) -> None:
        lift_brake(number=row.pk, by=by)


@admin.register(KeyHour)
class KeyHourAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("hour", "account", "api_key", "charge")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a key, or an account's name."
    number_fields = ("api_key",)


@admin.register(LimitEvent)
class LimitEventAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("at", "account", "name", "about", "sentence", "mail_due")
    list_filter = ("name",)
    list_select_related = ("account",)
    search_fields = ("account__username",)
