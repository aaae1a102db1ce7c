"""Reservations and capacity for the operator: shown and not edited, because the clock learns and decides.

Reservations are denied and ended through the same service as everywhere.
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from accounts.people import person
from common.admin import ReadOnlyAdmin, SearchByNumber
from realtime.models import Quote, Reservation, ReservationEvent, ReservationWindow, RunTime, UsageCursor
from realtime.services.change import stop


@admin.register(Reservation)
class ReservationAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = (
        "id", "account", "number", "core_type_id", "cores", "state", "end_reason", "starts_at", "ready_at", "ended_at",
        "note",
    )  # fmt: skip
    list_filter = ("state", "end_reason", "core_type")
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a request, or an account's name."
    number_fields = ("number",)
    actions = ("deny_or_end",)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("realtime.change_reservation")

    @admin.action(description="Deny or end the selected reservations", permissions=["stop"])
    def deny_or_end(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        stopped = sum(stop(reservation=row, by=person(request)) for row in queryset)
        self.message_user(request, f"{stopped} reservations are ended; their owners get a mail.", messages.SUCCESS)


@admin.register(ReservationWindow)
class ReservationWindowAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "account", "number", "core_type_id", "cores", "weekly", "next_at", "removed_at")
    list_filter = ("core_type",)
    list_select_related = ("account",)
    search_fields = ("account__username",)
    search_help_text = "Number of a window, or an account's name."
    number_fields = ("number",)


@admin.register(ReservationEvent)
class ReservationEventAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("at", "reservation", "account", "name", "detail", "by", "mail_due")
    list_filter = ("name",)
    list_select_related: ClassVar[tuple[str, ...]] = ("reservation__account", "by")
    search_fields = ("reservation__account__username",)
    search_help_text = "Number of a request, or an account's name."
    number_fields = ("reservation__number",)
    account_field = "reservation__account"

    @admin.display(description="account")
    def account(self, row: Any) -> User:
        owner: User = row.reservation.account
        return owner


@admin.register(RunTime)
class RunTimeAdmin(ReadOnlyAdmin):
    list_display = ("id", "basis", "account_id", "function_id", "core_type", "cores", "n", "mean", "updated_at")
    list_filter = ("basis", "core_type")


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("batch_id", "basis", "n", "mean", "made_at")


@admin.register(UsageCursor)
class UsageCursorAdmin(ReadOnlyAdmin):
    list_display = ("name", "last_id")
