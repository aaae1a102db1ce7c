"""Capacity for the operator: shown and not edited, because the clock learns and decides."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from realtime.models import Quote, RunTime, UsageCursor


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
