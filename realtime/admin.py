"""Reservations and capacity for the operator: shown and not edited, because the clock learns and decides.

Reservations are denied and ended, and hosts drained, kept and ended, by the same services as everywhere.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.people import person
from common.admin import PartAdmin, ReadOnlyAdmin, SearchByNumber
from common.exceptions import Refused
from realtime.models import (
    Decision,
    ForecastHour,
    Host,
    LoadHour,
    Quote,
    Reservation,
    ReservationEvent,
    ReservationWindow,
    RunTime,
    UsageCursor,
)
from realtime.services import hosts
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
class ReservationEventAdmin(PartAdmin):
    list_display = ("at", "reservation", "account", "name", "detail", "by", "mail_due")
    list_filter = ("name",)
    with_rows = ("by",)
    search_fields = ("reservation__account__username",)
    search_help_text = "Number of a request, or an account's name."
    number_fields = ("reservation__number",)
    account_field = "reservation__account"


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


@admin.register(Host)
class HostAdmin(ReadOnlyAdmin):
    list_display = (
        "name", "provider", "state", "core_types", "slots", "joined_at", "seen_at", "price_per_hour", "is_spot",
        "problem",
    )  # fmt: skip
    list_filter = ("state", "provider", "is_spot")
    search_fields = ("name", "reference")
    search_help_text = "Part of a name, or of what the provider calls it."
    actions = ("drain", "keep", "end")

    def has_host_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("realtime.change_host")

    @admin.action(description="Drain: finish what runs, take nothing new", permissions=["host"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.drain, done="told to drain")

    @admin.action(description="Call a drain off", permissions=["host"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.keep, done="back at work")

    @admin.action(description="End at once: what runs there runs again elsewhere", permissions=["host"])
    def end(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        self._do(request, queryset, hosts.end, done="ended")

    def _do(self, request: HttpRequest, rows: QuerySet[Host], act: Callable[..., Any], *, done: str) -> None:
        count = 0
        for host in rows:
            try:
                act(host=host)
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {'host is' if count == 1 else 'hosts are'} {done}.", messages.SUCCESS)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "core_type", "wanted", "ready", "booting", "launch", "started", "drain", "problem")
    list_filter = ("core_type",)


@admin.register(LoadHour)
class LoadHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "core_type", "account", "of_crons", "runs", "core_ms")
    list_filter = ("core_type", "of_crons")
    list_select_related = ("account",)


@admin.register(ForecastHour)
class ForecastHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "core_type", "cron_core_ms", "habit_core_ms", "made_at")
    list_filter = ("core_type",)
