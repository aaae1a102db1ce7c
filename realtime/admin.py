"""Capacity for the operator: shown and not edited, because the clock learns and decides."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from realtime.models import Decision, ForecastHour, LoadHour, Quote, RunTime, UsageCursor


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
