"""Environments for the operator. They are built by their recipes, so nothing of them is edited here."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from environments.models import Environment


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "python", "image", "size_bytes", "built_at")
    list_filter = ("python",)
    search_fields = ("name", "image", "digest")
    date_hierarchy = "built_at"
