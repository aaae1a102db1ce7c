"""Crons for the operator: shown and not edited, because their services keep schedules and histories in step."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import PartAdmin, ReadOnlyAdmin, SearchByNumber
from crons.models import Cron, CronDay, CronEvent, CronRun, Digest


@admin.register(Cron)
class CronAdmin(SearchByNumber, ReadOnlyAdmin):
    list_display = ("id", "label", "account", "schedule", "timezone", "state", "next_at", "paused_at", "registration")
    list_filter = ("state", "overlap", "catch_up")
    search_fields = ("account__username",)
    search_help_text = "Number of a cron, or an account's name."
    number_fields = ("id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cron]:
        rows = super().get_queryset(request).select_related("account", "function_blob", "arguments")
        return rows.defer("function_blob__inline", "arguments__inline")


class PartOfCronAdmin(PartAdmin):
    """Rows that belong to a cron."""

    search_fields = ("cron__id",)
    search_help_text = "Number of a cron, or an account's name."
    number_fields: ClassVar[tuple[str, ...]] = ("cron_id",)
    account_field = "cron__account"


@admin.register(CronRun)
class CronRunAdmin(PartOfCronAdmin):
    list_display = ("id", "cron", "account", "scheduled_at", "trigger", "outcome", "jid", "verdict", "is_late")
    list_filter = ("outcome", "verdict", "trigger")
    number_fields = ("cron_id", "jid")
    search_help_text = "Number of a cron, a jid, or an account's name."


@admin.register(CronDay)
class CronDayAdmin(PartOfCronAdmin):
    list_display = ("cron", "account", "day", "n_ok", "n_failed", "n_late", "n_missed", "n_skipped")


@admin.register(CronEvent)
class CronEventAdmin(PartOfCronAdmin):
    list_display = ("at", "cron", "account", "name", "before", "after", "detail", "mail_due")
    list_filter = ("name",)


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    list_display = ("account", "next_at")
    list_select_related = ("account",)
    search_fields = ("account__username",)
